"""The signed snapshot of all signals there are: for a start without history, and for those who only ask now and then."""

import httpx

from minos_sdk.errors import MinosError
from minos_sdk.http import Unreachable, get
from minos_sdk.ports import TokenSource, was_refused
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import LONGEST_SNAPSHOT, Beat
from minos_sdk.trouble import words

MINOS = "minos"
"""The audience of the issuer itself."""
UNANSWERED = (MinosError, OSError, httpx.HTTPError)
"""What a token source and HTTP raise when the issuer is away or refuses."""
_WITHIN_S = 60.0


class Snapshots:
    """Asks for a snapshot, or whether the last one still holds."""

    def __init__(self, receiver: Receiver, http: httpx.AsyncClient, token_source: TokenSource) -> None:
        self._receiver = receiver
        self._http = http
        self._token_source = token_source
        self._etag: str | None = None

    async def take(self, *, now: float) -> bool:
        """Bring the receiver to what is committed at `now` of its monotonic clock. False when that could not be."""
        receiver = self._receiver
        url = f"{receiver.issuer.rstrip('/')}/api/v1/signals/snapshot?audience={receiver.audience}"
        try:
            token = await self._token_source.token(MINOS)
            headers = {"Authorization": f"Bearer {token}"}
            if self._etag is not None:
                headers["If-None-Match"] = self._etag
            answer = await get(self._http, url, longest=LONGEST_SNAPSHOT, headers=headers, within=_WITHIN_S)
            if answer.status_code == 401:
                await was_refused(self._token_source, MINOS, token)
            return await self._taken(answer, now)
        except UNANSWERED as error:
            receiver.counts["snapshot_unanswered"] += 1
            receiver.trouble.begins(words(error))
            return False

    async def _taken(self, answer: httpx.Response, now: float) -> bool:
        if answer.status_code == 304 and self._etag is not None:
            return await self._unchanged(answer.headers.get("minos-heartbeat", ""), now)
        if answer.status_code != 200:
            raise Unreachable(f"the snapshot answered {answer.status_code}")
        if not await self._receiver.snapshot(answer.text, asked_at=now):
            return False
        self._etag = answer.headers.get("etag")
        return True

    async def _unchanged(self, heartbeats: str, now: float) -> bool:
        """That nothing was added says nothing where nobody adds anything any more: up to when it is so is in signed heartbeats beside."""
        told = [await self._receiver.signal(each.strip()) for each in heartbeats.split(",")]
        beats = [each for each in told if isinstance(each, Beat)]
        if not {beat.newest.of_class for beat in beats} >= self._receiver.classes.keys():
            return False
        return all(self._receiver.beat(beat, at=now) for beat in beats)
