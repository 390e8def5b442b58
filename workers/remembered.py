"""What workers of a process remember of keys, so that all of it is forgotten at once when somebody was erased."""

from collections.abc import Callable, Generator
from contextlib import contextmanager


class Remembered:
    """Whoever remembers something says how it is forgotten, for as long as it does."""

    def __init__(self) -> None:
        self._forgets: list[Callable[[], None]] = []

    @contextmanager
    def by(self, forget: Callable[[], None]) -> Generator[None]:
        """`forget` must be quick, and not raise."""
        self._forgets.append(forget)
        try:
            yield
        finally:
            self._forgets.remove(forget)

    def forget(self) -> None:
        for forget in self._forgets:
            forget()
