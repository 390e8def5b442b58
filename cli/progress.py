"""A progress bar on a terminal, with rate and time left; nothing elsewhere."""

import sys
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


class Advance(Protocol):
    """How far a long piece of work is. `done` and `total` count the same things."""

    @property
    def stage(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def per_second(self) -> float: ...


class Bar:
    """On stderr. Use it as a context; `columns` follow the bar and precede the time left, and may show `unit` and other fields."""

    def __init__(self, *, quiet: bool, unit: str = "events", columns: "tuple[ProgressColumn, ...] | None" = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        shown = columns or (MofNCompleteColumn(), TextColumn(f"{{task.fields[rate]:,.0f}} {unit}/s"))
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *shown,
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("reading", total=None, rate=0.0, count=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, at: Advance) -> None:
        self._progress.update(self._task, description=at.stage, completed=at.done, total=at.total, rate=at.per_second)

    def counted(self, stage: str, done: int, total: int, count: int) -> None:
        """The same where what is done is not what is counted, as bytes of a file and its lines."""
        self._progress.update(self._task, description=stage, completed=done, total=total, count=count)
