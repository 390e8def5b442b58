"""How many answers that go on for as long as somebody listens are open at a time: some for each caller, and some in all."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from api.metrics import SIGNAL_STREAMS
from domain.errors import Overloaded, TooManyWaiting

MOST, MOST_OF_ONE = 512, 64
"""In one process. The processes of a service are one caller, each with a stream of its own."""
RETRY_AFTER_SECONDS = 5


class OpenStreams:
    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self._open.total()

    def require_room(self, caller: str) -> None:
        """Raises TooManyWaiting for a caller who has all of theirs, Overloaded when all are taken."""
        if self._open[caller] >= MOST_OF_ONE:
            raise TooManyWaiting
        if self._open.total() >= MOST:
            raise Overloaded(RETRY_AFTER_SECONDS)

    @contextmanager
    def one_more(self, caller: str) -> Generator[None]:
        """Raises as `require_room`: between that and this others may have come."""
        self.require_room(caller)
        self._open[caller] += 1
        SIGNAL_STREAMS.inc()
        try:
            yield
        finally:
            SIGNAL_STREAMS.dec()
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
