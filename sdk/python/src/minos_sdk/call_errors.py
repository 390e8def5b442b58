"""How a call to Minos can fail. These are no refusals of whoever calls the service that makes the call, and never become one."""

from collections.abc import Mapping, Sequence
from typing import Any

from minos_sdk.codes import Code


class CallFailed(OSError):
    """Base of them all: an OSError, so that what copes with a network copes with this. None has a secret in it, or the request."""


class Unreachable(CallFailed):
    """No answer in time, or one of a server that is busy or away, also after asking again where that is safe.

    What was asked for may have been done, unless it only reads. `retry_after`: seconds, where the server named them.
    """

    def __init__(self, message: str = "Minos cannot be reached at the moment.", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CallRefused(CallFailed):
    """Minos understood the call, and did not do it. `code` is one of `Code`, or what a newer Minos calls it."""

    def __init__(self, status: int, code: str, detail: str, *, faults: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        """What is wrong with which part of the request: `pointer`, `code`, `detail`."""


class SignedOut(CallFailed):
    """Nobody is signed in any more, or never was: sign in."""

    code = Code.INVALID_REFRESH_TOKEN

    def __init__(self, message: str = "Nobody is signed in.") -> None:
        super().__init__(message)
