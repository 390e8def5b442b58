"""The event store, with somebody told of every append: to count what happened, and to wake the workers."""

from collections.abc import Callable, Sequence

from commands.ports import Appended, AppendResult, ClaimMac, Commit, EventStore, Heads, Holding, StoredEvent
from domain.ids import StreamName


class WatchedStore:
    """commands.ports.EventStore. `appended` is called after each commit that happened; it must be quick and not raise."""

    def __init__(self, store: EventStore, appended: Callable[[Commit], None]) -> None:
        self._store = store
        self._appended = appended

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        return await self._store.load(streams)

    async def append(self, commit: Commit) -> Appended:
        outcome = await self._store.append(commit)
        if outcome.result is AppendResult.DONE:
            self._appended(commit)
        return outcome

    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]:
        return await self._store.read_stream(stream, after_version)

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        return await self._store.find_holder(candidates, categories=categories, also=also)

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        return await self._store.names_of(claims)

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        return await self._store.find_outcome(key, capped=capped)
