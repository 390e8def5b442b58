"""What workers have done, as spans: each step a trace of its own, for it serves many requests at a time.

A step is joined with requests by their correlation ids, and with other steps by positions: the log holds no trace of anybody's.
"""

from collections.abc import Iterable

from adapters.telemetry.spans import Spans
from domain.ids import CorrelationId
from workers.mailer.mailer import Settled
from workers.projector import Worked
from workers.publisher import Published
from workers.sequencer import Step

MOST_CORRELATIONS = 64
"""Of one span: a step after a flood has thousands, and a collector takes no span without end."""


class StepSpans:
    """Hears what the metrics hear. Steps that found nothing to do are no spans."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def sequenced(self, step: Step) -> None:
        if step.added:
            self._spans.done("sequence events", step.seconds, {"minos.events": step.added, "minos.position": step.size})

    def published(self, state: Published) -> None:
        if state.events:
            self._spans.done("publish events", state.seconds, {
                "messaging.system": "nats", "messaging.operation.type": "send",
                "minos.events": state.events, "minos.position": state.position, "minos.correlation_ids": _some(state.correlations),
            })  # fmt: skip

    def projected(self, work: Worked) -> None:
        if work.events:
            self._spans.done("project events", work.seconds, {
                "minos.events": work.events, "minos.position": work.position, "minos.feeds": work.feeds,
                "minos.correlation_ids": _some(work.correlations),
            })  # fmt: skip

    def mailed(self, settled: Settled) -> None:
        self._spans.done("send mail", settled.seconds, {"minos.letter": settled.letter, "minos.mail.state": settled.state})


def _some(correlations: Iterable[CorrelationId]) -> list[str]:
    return sorted(map(str, correlations))[:MOST_CORRELATIONS]
