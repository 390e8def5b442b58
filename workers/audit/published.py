"""All checkpoints there are of a log, the smallest first: published ones, that of the second place, those somebody kept."""

from collections.abc import Sequence

import asyncpg

from workers.audit.judging import PUBLISHED, Held, Signed
from workers.audit.reading import LogSource

PAGE = 2_000
_ALL = 2**62


class _Epoch:
    """The checkpoints of one epoch, read page by page."""

    def __init__(self, source: LogSource, signed: Signed, epoch: int, after: int, up_to: int) -> None:
        self._source = source
        self._signed = signed
        self._epoch = epoch
        self._after = after
        self._up_to = up_to
        self._page: list[Held] = []

    async def first(self) -> Held | None:
        while not self._page:
            records = await self._source.checkpoints(self._epoch, self._after, self._up_to, PAGE)
            if not records:
                return None
            self._after = records[-1]["size"]
            self._page = [held for record in records if (held := self._read(record)) is not None][::-1]
        return self._page[-1]

    def _read(self, record: asyncpg.Record) -> Held | None:
        """With the lines of witnesses; and without them, where they are not below the same note."""
        note, cosigned, filed = record["note"], record["cosigned"], {"size": record["size"], "root": record["root"]}
        if not cosigned.startswith(note):
            self._signed.read(PUBLISHED, note, epoch=self._epoch, **filed)
        return self._signed.read(PUBLISHED, cosigned, epoch=self._epoch, **filed)

    def take(self) -> Held:
        return self._page.pop()


class Published:
    """Merges them. `others` are read already. Of published ones those from size `after` on, and of the newest epoch none beyond `up_to`:
    while the log is read it grows, and so does what is published of it."""

    def __init__(self, source: LogSource, signed: Signed, *, epochs: int, after: int, up_to: int, others: Sequence[Held]) -> None:
        begin = max(0, after - 1)
        self._epochs = [_Epoch(source, signed, epoch, begin, up_to if epoch == epochs else _ALL) for epoch in range(1, epochs + 1)]
        self._others = sorted((held for held in others if held.size >= after), reverse=True)

    async def next_up_to(self, size: int) -> Held | None:
        """Take the smallest one that is left, unless it is of more than `size` entries."""
        firsts = [(held, epoch) for epoch in self._epochs if (held := await epoch.first()) is not None]
        smallest = min(firsts, key=lambda each: each[0], default=None)
        if self._others and (smallest is None or self._others[-1] < smallest[0]):
            return self._others.pop() if self._others[-1].size <= size else None
        if smallest is None or smallest[0].size > size:
            return None
        return smallest[1].take()
