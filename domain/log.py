"""What happened to the log itself, in one stream of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct

from domain.decider import Decider
from domain.event import Event
from domain.ids import StreamName

CATEGORY = "log"
STREAM = StreamName(CATEGORY)

Origin = NewType("Origin", str)
OriginText = Annotated[Origin, Meta(pattern=r"^[A-Za-z0-9.:_~%/\[\]-]{1,512}$(?!\n)")]
"""What a log is called by those who verify it: the issuer without the scheme, and more."""

Root = NewType("Root", str)
RootText = Annotated[Root, Meta(pattern=r"^[A-Za-z0-9+/]{43}=$(?!\n)")]
"""The root of a tree in base64, as checkpoints have it."""


class EpochReason(StrEnum):
    """Why an operator began the log's numbering anew."""

    RESTORED = "restored"
    """The database came back from a backup."""
    BROKER_AHEAD = "broker_ahead"
    """NATS had more than the database."""
    FORK = "fork"
    """What was published of the log is not what the database holds."""
    OTHER = "other"


class LastPublished(Struct, frozen=True, kw_only=True):
    """The newest checkpoint that anybody outside can have of the earlier log."""

    origin: OriginText
    size: int
    root: RootText


class EpochOpened(Event, frozen=True, kw_only=True, tag="log.epoch_opened.v1"):
    """From here on the log is another one, under another name, that begins as the earlier one did."""

    epoch: int
    reason: EpochReason
    kept: int
    """Positions up to here are as they were when the epoch was opened."""
    agreed: int
    """The newest published size at which the earlier log is provably the beginning of this one; 0 if none."""
    earlier: LastPublished | None
    """None where nothing was ever published."""


LogEvent = EpochOpened


class Log(Struct, frozen=True, kw_only=True):
    epoch: int = 1


def evolve(_: Log, event: LogEvent) -> Log:
    return Log(epoch=event.epoch)


decider: Decider[Log, LogEvent] = Decider(CATEGORY, Log, 1, Log(), evolve)


def open_epoch(
    state: Log, *, epoch: int, reason: EpochReason, kept: int, agreed: int, earlier: LastPublished | None, at: datetime
) -> Sequence[LogEvent]:
    if epoch <= state.epoch:
        return []
    return [EpochOpened(epoch=epoch, reason=reason, kept=kept, agreed=agreed, earlier=earlier, at=at)]
