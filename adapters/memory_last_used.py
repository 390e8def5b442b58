"""When something was last used, in memory: under the same suite as the one in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.ids import StreamName


class MemoryLastUsed:
    """commands.ports.LastUsed."""

    def __init__(self) -> None:
        self._known: dict[StreamName, datetime] = {}

    def note(self, stream: StreamName, *, at: datetime) -> None:
        self._known[stream] = max(at, self._known.get(stream, at))

    async def of(self, streams: Sequence[StreamName]) -> Mapping[StreamName, datetime]:
        return {stream: self._known[stream] for stream in streams if stream in self._known}
