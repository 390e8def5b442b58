"""Why signals do not come, for whoever reads a service's log: said when it begins and when it turns into something else."""

import logging
from collections.abc import Callable

log = logging.getLogger("minos_sdk")
_QUIET_S = 10.0
"""Different reasons that take turns are said this rarely."""


class Trouble:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.why: str | None = None
        """What it was when it was last tried; None while signals come."""
        self._monotonic = monotonic
        self._said: str | None = None
        self._said_at = float("-inf")

    def begins(self, why: str) -> None:
        """Note why, in words without secrets."""
        self.why = why
        now = self._monotonic()
        if why != self._said and now - self._said_at >= _QUIET_S:
            self._said, self._said_at = why, now
            log.warning("signals do not come: %s", why)

    def ends(self) -> None:
        self.why = None
        if self._said is not None:
            self._said = None
            log.warning("signals come again")


def words(error: Exception) -> str:
    return str(error) or type(error).__name__
