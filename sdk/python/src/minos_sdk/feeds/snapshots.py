"""What Minos itself says holds, signed: all of it at first, and then what came since."""

from collections.abc import Awaitable
from typing import TypeVar

import httpx

from minos_sdk.call_errors import CallRefused
from minos_sdk.codes import Code
from minos_sdk.errors import MinosError
from minos_sdk.http import Unreachable, get
from minos_sdk.ports import TokenSource, was_refused
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import LONGEST_SNAPSHOT
from minos_sdk.trouble import words

T = TypeVar("T")
MINOS = "minos"
"""The audience of the issuer itself."""
SOURCE = "a source of tokens, as ServiceTokens"
UNANSWERED = (MinosError, OSError, httpx.HTTPError)
"""What a token source and HTTP raise when the issuer is away or refuses."""
PERMISSION_DENIED = f'"{Code.PERMISSION_DENIED}"'.encode()
"""In the answer of Minos, and of nobody on the way who keeps us out for reasons of their own."""
_WITHIN_S = 60.0


class Snapshots:
    """Asks over HTTP, with TLS to the issuer: nobody in between can leave anything out, or play what was said before."""

    def __init__(self, receiver: Receiver, http: httpx.AsyncClient, token_source: TokenSource) -> None:
        self._receiver = receiver
        self._http = http
        self._token_source = token_source

    async def take(self) -> bool:
        """As `ask`, where failing is one more reason why signals do not come."""
        try:
            return await self.ask()
        except UNANSWERED as error:
            self._receiver.trouble.begins(words(error))
            return False

    async def ask(self) -> bool:
        """Bring the receiver to all that is committed by now. False when the answer is none of this issuer's.

        Raises CallRefused where this service may not ask, and UNANSWERED.
        """
        receiver = self._receiver
        try:
            now, known = receiver.monotonic(), receiver.known
            answer = await self._answer()
            if _age(answer):
                if not await receiver.snapshot(answer.text, asked_at=None):
                    return False
                now, known = receiver.monotonic(), receiver.known
                answer = await self._answer()
            return await receiver.snapshot(answer.text, asked_at=None if _age(answer) else now, known=None if _age(answer) else known)
        except UNANSWERED:
            receiver.counts["snapshot_unanswered"] += 1
            raise

    async def _answer(self) -> httpx.Response:
        receiver = self._receiver
        query = {"audience": receiver.audience} | ({"after": receiver.place} if receiver.place else {})
        url = httpx.URL(f"{receiver.issuer.rstrip('/')}/api/v1/signals/snapshot", params=query)
        token = await _of_source(self._token_source.token(MINOS))
        headers = {"Authorization": f"Bearer {token}"}
        answer = await get(self._http, str(url), longest=LONGEST_SNAPSHOT, headers=headers, within=_WITHIN_S)
        if answer.status_code == 401:
            await _of_source(was_refused(self._token_source, MINOS, token))
        if answer.status_code == 403 and PERMISSION_DENIED in answer.content:
            raise CallRefused(403, "permission_denied", f"it takes minos.signals.access and minos.signals.roles.{receiver.audience}")
        if answer.status_code != 200:
            raise Unreachable(f"the snapshot answered {answer.status_code}")
        return answer


async def _of_source(asked: Awaitable[T]) -> T:
    """It is the service's own, and raises what it likes: no reason to hear of nothing any more. Raises UNANSWERED."""
    try:
        return await asked
    except UNANSWERED:
        raise
    except Exception as error:
        raise Unreachable(f"the token source raised {type(error).__name__}") from error


def _age(answer: httpx.Response) -> bool:
    """Whether it was made for somebody before (RFC 9111 5.1)."""
    return bool(answer.headers.get("age", "0") != "0")
