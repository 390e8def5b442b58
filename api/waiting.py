"""How many requests of one caller wait for a read model at a time: at most four (threats.md 15)."""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager

from domain.errors import TooManyWaiting

MOST = 4


class Waiting:
    """Counts in this process; a caller who spreads over several processes waits in each. Whoever waits hurries the workers."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self._callers: Counter[str] = Counter()

    def of(self, caller: str) -> int:
        """Tell how many wait."""
        return self._callers[caller]

    @contextmanager
    def one_more(self, caller: str) -> Generator[None]:
        """Raises TooManyWaiting."""
        if self._callers[caller] >= MOST:
            raise TooManyWaiting
        self._callers[caller] += 1
        try:
            self._hurry()
            yield
        finally:
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]
