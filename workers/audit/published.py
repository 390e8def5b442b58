"""All checkpoints there are of a log, the smallest first: published ones, that of the second place, those somebody kept."""

from collections.abc import Sequence

from workers.audit.judging import PUBLISHED, Held, Signed
from workers.audit.reading import LogSource

PAGE = 2_000


class _Epoch:
    """The checkpoints of one epoch, read page by page."""

    def __init__(self, source: LogSource, signed: Signed, epoch: int, after: int) -> None:
        self._source = source
        self._signed = signed
        self._epoch = epoch
        self._after = after
        self._page: list[Held] = []

    async def first(self) -> Held | None:
        while not self._page:
            records = await self._source.checkpoints(self._epoch, self._after, PAGE)
            if not records:
                return None
            self._after = records[-1]["size"]
            read = (
                self._signed.read(PUBLISHED, record["note"], epoch=self._epoch, size=record["size"], root=record["root"])
                for record in records
            )
            self._page = [held for held in read if held is not None][::-1]
        return self._page[-1]

    def take(self) -> Held:
        return self._page.pop()


class Published:
    """Merges them. `others` are read already; `after` is the size of the first entries not to be looked at."""

    def __init__(self, source: LogSource, signed: Signed, *, epochs: int, after: int, others: Sequence[Held]) -> None:
        self._epochs = [_Epoch(source, signed, epoch, max(0, after - 1)) for epoch in range(1, epochs + 1)]
        self._others = sorted((held for held in others if held.size >= after), reverse=True)
        self.newest = 0

    async def next_up_to(self, size: int) -> Held | None:
        """Take the smallest one that is left, unless it is of more than `size` entries."""
        firsts = [(held, epoch) for epoch in self._epochs if (held := await epoch.first()) is not None]
        smallest = min(firsts, key=lambda each: each[0], default=None)
        if self._others and (smallest is None or self._others[-1] < smallest[0]):
            return self._others.pop() if self._others[-1].size <= size else None
        if smallest is None or smallest[0].size > size:
            return None
        self.newest = max(self.newest, smallest[0].size)
        return smallest[1].take()
