"""A stream that a writer knows the end of, and what it concludes from the end it finds."""

from dataclasses import dataclass

import msgspec
import structlog

from adapters.signal_stream import SignalStream, Told
from workers.signals.due import Acknowledged, Due
from workers.signals.outbox import Outbox

log = structlog.stdlib.get_logger()


@dataclass(slots=True)
class Line:
    """It may be ahead of what is noted. `complete_to`: what the class's rows were complete up to when all of them had been acknowledged."""

    stream: SignalStream
    epoch: int
    sent: int
    sequence: int
    beat: int
    complete_to: int = 0

    @property
    def acknowledged(self) -> Acknowledged:
        return Acknowledged(self.stream.of_class, self.epoch, self.sent, self.sequence)


async def opened(stream: SignalStream, due: Due, outbox: Outbox) -> Line | None:
    """Learn where a stream ends, and see that it has what it is said to have. None where that begins another epoch. Raises StreamAway."""
    end = await stream.open()
    emptied = end.is_empty and await outbox.holds(due.of_class, due.sent)
    if end.sequence < due.sequence or emptied or (end.last is not None and await _is_foreign(end.last, due, outbox)):
        log.warning("signals_sent_anew", of_class=due.of_class, sequence=due.sequence, found=end.sequence)
        await outbox.renew(due, end)
        return None
    if end.sequence > due.sequence:
        await outbox.resume(due, end)
    return Line(stream, due.epoch, due.sent, end.sequence, due.beat - 1)


async def _is_foreign(last: Told, due: Due, outbox: Outbox) -> bool:
    """Tell whether the stream's last message is something that Postgres never told, or has forgotten."""
    feed = last.feed
    if feed.of_class != due.of_class:
        return True
    if (feed.epoch, feed.count) > (due.epoch, due.newest):  # or another writer told it since we looked
        return (feed.epoch, feed.count) > await outbox.newest(due.of_class)
    if feed.epoch != due.epoch or (fact := await outbox.fact_of(due.of_class, feed.count)) is None:
        return False
    return msgspec.json.decode(fact, type=_Named).jti != str(last.jti)


class _Named(msgspec.Struct, frozen=True):
    jti: str
