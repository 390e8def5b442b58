"""What the event store tells whoever measures it."""

from typing import Literal, Protocol

from commands.ports import AppendResult

Flushed = Literal["append", "alone", "load", "holders", "outcomes"]
Retried = Literal["busy", "unknown", "apart"]
"""Why a commit went again alone: a head was locked elsewhere, the connection broke, or another commit spoilt the batch."""


class StoreMetrics(Protocol):
    """Called on the event loop, so quick; must not raise. Times in seconds."""

    def flushed(self, kind: Flushed, size: int, seconds: float) -> None: ...
    def appended(self, result: AppendResult, seconds: float) -> None:
        """One commit was answered, that long after it was handed in."""
        ...

    def retried(self, why: Retried) -> None: ...


class NoMetrics:
    def flushed(self, kind: Flushed, size: int, seconds: float) -> None:
        pass

    def appended(self, result: AppendResult, seconds: float) -> None:
        pass

    def retried(self, why: Retried) -> None:
        pass
