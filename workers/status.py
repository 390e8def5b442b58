"""How each worker of this process is, for readiness and for people."""

from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from workers import metrics


class WorkerCondition(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """For a store that is away; it goes on by itself."""
    HALTED = "halted"
    """Going on would be wrong until an operator has looked."""
    STOPPED = "stopped"


class WorkerStatus(Struct, frozen=True, kw_only=True):
    worker: str
    condition: WorkerCondition
    reason: str | None
    since: datetime


_board: dict[str, WorkerStatus] = {}


def note(worker: str, condition: WorkerCondition, reason: str | None = None) -> None:
    """Remember how a worker is; saying the same again changes nothing."""
    known = _board.get(worker)
    if known is not None and (known.condition, known.reason) == (condition, reason):
        return
    _board[worker] = WorkerStatus(worker=worker, condition=condition, reason=reason, since=datetime.now(UTC))
    metrics.READY.labels(worker).set(condition is WorkerCondition.RUNNING)


def worker_status() -> tuple[WorkerStatus, ...]:
    """Give the state of every worker of this process, by name."""
    return tuple(_board[name] for name in sorted(_board))


def is_ready() -> bool:
    """Tell whether every worker of this process runs."""
    return bool(_board) and all(status.condition is WorkerCondition.RUNNING for status in _board.values())
