"""How the signaller is, from its two halves, for readiness and the metrics."""

from workers import metrics
from workers.signals.folder import Folded
from workers.signals.sender import Sent
from workers.status import WorkerCondition, note


class Watch:
    """That the feed is halted counts for more than that NATS is away."""

    def __init__(self) -> None:
        self._halted: str | None = None
        self._reached = True

    def folded(self, state: Folded) -> None:
        self._halted = state.halted
        metrics.signals_folded(state)
        self._note()

    def sent(self, state: Sent) -> None:
        metrics.signals_sent(state)

    def reached(self, there: bool) -> None:
        self._reached = there
        self._note()

    def _note(self) -> None:
        if self._halted is not None:
            note("signaller", WorkerCondition.HALTED, self._halted)
        elif self._reached:
            note("signaller", WorkerCondition.RUNNING)
        else:
            note("signaller", WorkerCondition.WAITING, "NATS is away")
