"""Signals as server-sent events: as fast as NATS for one service, over nothing but HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import SystemRandom

import httpx

from minos_sdk import given
from minos_sdk.feeds.snapshots import MINOS, SOURCE, UNANSWERED, Snapshots
from minos_sdk.http import Unreachable
from minos_sdk.ports import TokenSource, was_refused
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import LONGEST, Beat
from minos_sdk.trouble import words

_TIMEOUT = httpx.Timeout(5.0, connect=2.0, read=10.0)
"""A heartbeat comes each second: after ten without, nobody is there."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.25, 2.0
_chance = SystemRandom()


class SseFeed:
    """minos_sdk.feeds.feed.Feed over `GET /api/v1/signals/stream`, after a snapshot."""

    def __init__(self, token_source: TokenSource) -> None:
        given.able("token_source", token_source, "token", wanted=SOURCE)
        self._token_source = token_source

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:
        """What was missed while a connection was down comes first on the next: each begins after the last place that is known."""
        snapshots = Snapshots(receiver, http, self._token_source)
        pause = _FIRST_PAUSE_S
        while True:
            if receiver.is_ready or await snapshots.take():
                heard = receiver.counts["heartbeats"]
                try:
                    await self._listen(receiver, http, snapshots)
                except UNANSWERED as error:
                    receiver.counts["stream_lost"] += 1
                    receiver.trouble.begins(words(error))
                pause = _FIRST_PAUSE_S if receiver.counts["heartbeats"] > heard else pause
            await asyncio.sleep(pause * _chance.uniform(0.5, 1.0))
            pause = min(2 * pause, _LAST_PAUSE_S)

    async def _listen(self, receiver: Receiver, http: httpx.AsyncClient, snapshots: Snapshots) -> None:
        url = f"{receiver.issuer.rstrip('/')}/api/v1/signals/stream?audience={receiver.audience}"
        token = await self._token_source.token(MINOS)
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "text/event-stream",
            "Last-Event-ID": receiver.place,
        }
        async with http.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=False) as response:
            if response.status_code == 401:
                await was_refused(self._token_source, MINOS, token)
            if response.status_code != 200:
                raise Unreachable(f"the stream of signals answered {response.status_code}")
            async for event in events(response.aiter_bytes()):
                if await _take(receiver, event):
                    continue
                if not await snapshots.take():
                    raise Unreachable("the stream of signals cannot be followed")
                return  # the next one begins behind the snapshot, which spares both sides what this one would say again


async def _take(receiver: Receiver, event: "Event") -> bool:
    """False when something is missing. The stream is in order: what a signal was replaced by comes in its place, later."""
    if event.name not in ("signal", "heartbeat"):
        return True
    told = await receiver.signal(event.data)
    if told is None:
        return False
    if isinstance(told, Beat):
        return receiver.beat(told)
    if told.place is not None:
        receiver.reached(told.place)
    return True


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: str


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Read events as the HTML standard writes them (9.2.6), as far as they are used here. Raises Unreachable for an endless one."""
    name, data = "message", list[str]()
    async for line in _lines(pieces):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, "\n".join(data))
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
            if sum(map(len, data)) > LONGEST:
                raise Unreachable("an event of the stream of signals does not end")


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
        if len(rest) > LONGEST:
            raise Unreachable("a line of the stream of signals does not end")
