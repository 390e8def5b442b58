"""What workers say of their steps, taken to where it is shown: conditions, metrics and traces."""

from collections.abc import Callable
from typing import ParamSpec

from workers import metrics
from workers.integrator.integrator import Integrated
from workers.mailer.mailer import Settled
from workers.publisher import Published
from workers.sequencer import Step
from workers.status import WorkerCondition, note
from workers.traced import StepSpans

P = ParamSpec("P")


class Observed:
    """Each worker is given its own of these to call. `added`: what follows once events have positions."""

    def __init__(self, steps: StepSpans | None, added: Callable[[], None]) -> None:
        self._steps, self._added = steps, added
        self.worked = None if steps is None else steps.projected
        self.witnessed = _running("collector", metrics.witnessed)
        self.projected = _running("projector", metrics.projected)
        self.mailed = _running("mailer", metrics.mail_waits)
        self.done_when_due = _running("timekeeper", metrics.done_when_due)
        self.keys_kept = _running("keykeeper", metrics.keys_kept)
        self.pruned = _running("reaper", metrics.pruned)

    def sequenced(self, step: Step) -> None:
        note("sequencer", WorkerCondition.RUNNING)
        metrics.sequenced(step)
        if self._steps is not None:
            self._steps.sequenced(step)
        if step.added:
            self._added()

    def published(self, state: Published) -> None:
        if state.away:
            note("publisher", WorkerCondition.WAITING, "NATS is away")
            return
        note("publisher", WorkerCondition.HALTED if state.halted else WorkerCondition.RUNNING, state.halted)
        metrics.published(state)
        if self._steps is not None:
            self._steps.published(state)

    def integrated(self, state: Integrated) -> None:
        condition = WorkerCondition.HALTED if state.halted else WorkerCondition.WAITING if state.away else WorkerCondition.RUNNING
        note("integrator", condition, state.halted or state.away)
        metrics.integrated(state)

    def settled(self, mail: Settled) -> None:
        metrics.mail_settled(mail)
        if self._steps is not None:
            self._steps.mailed(mail)

    def surveyed(self) -> None:
        note("surveyor", WorkerCondition.RUNNING)


def _running(name: str, tell: Callable[P, None]) -> Callable[P, None]:
    """Note that a worker runs whenever it says something."""

    def observe(*said: P.args, **named: P.kwargs) -> None:
        note(name, WorkerCondition.RUNNING)
        tell(*said, **named)

    return observe
