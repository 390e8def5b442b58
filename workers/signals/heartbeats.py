"""How a class stands, told to services each second (threats.md 9)."""

from typing import NamedTuple

from adapters.jetstream import NotTheEnd
from adapters.signal_sets import Beat, SignalSigner
from adapters.signal_stream import LIVE
from workers.signals.due import Due
from workers.signals.line import Line


class Beating(NamedTuple):
    """A heartbeat that is due: up to the count `sent` NATS has acknowledged everything."""

    line: Line
    due: Due
    sent: int
    state: str


async def beat(of: Beating, signer: SignalSigner) -> bool:
    """Tell how a class stands, having looked that the stream still has it all. Raises NotTheEnd where it has not, StreamAway.

    False where it has nothing at all: what it had may have ended, or was taken out.
    """
    line, due = of.line, of.due
    end = await line.stream.end()
    if end is None or end.sequence != line.sequence:
        raise NotTheEnd
    said = Beat(
        of_class=due.of_class,
        epoch=due.epoch,
        count=of.sent,
        sequence=line.sequence,
        beat=due.beat,
        complete_to=line.complete_to,
        state=of.state,
        checkpoint=due.checkpoint,
    )
    await line.stream.copy(f"{LIVE}{due.of_class}.heartbeat", (await signer.heartbeat(said)).encode())
    line.beat = due.beat
    return not end.is_empty
