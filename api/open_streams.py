"""How many answers that go on for as long as somebody listens are open at a time: some for each caller, and some in all."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import Gauge

from api.metrics import SIGNAL_STREAMS
from domain.errors import Overloaded, TooManyWaiting

MOST, MOST_OF_ONE = 512, 64
"""In one process. The processes of a service are one caller, each with a stream of its own."""
RETRY_AFTER_SECONDS = 5


class OpenStreams:
    def __init__(self, *, most: int = MOST, most_of_one: int = MOST_OF_ONE, gauge: Gauge = SIGNAL_STREAMS) -> None:
        self.most, self.most_of_one = most, most_of_one
        self._gauge = gauge
        self._open: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self._open.total()

    def require_room(self, caller: str) -> None:
        """Raises TooManyWaiting for a caller who has all of theirs, Overloaded when all are taken."""
        if self._open[caller] >= self.most_of_one:
            raise TooManyWaiting
        if self._open.total() >= self.most:
            raise Overloaded(RETRY_AFTER_SECONDS)

    @contextmanager
    def one_more(self, caller: str) -> Generator[None]:
        """Raises as `require_room`: between that and this others may have come."""
        self.require_room(caller)
        self._open[caller] += 1
        self._gauge.inc()
        try:
            yield
        finally:
            self._gauge.dec()
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
