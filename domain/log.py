"""What happened to the log itself, in one stream of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType, assert_never

from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

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


class LogPruned(Event, frozen=True, kw_only=True, tag="log.pruned.v1"):
    """The payloads of `count` events of activity went, written before `older_than`, all of them within these positions."""

    partition: int
    first_position: int
    last_position: int
    count: int
    older_than: datetime


class PartitionSealed(Event, frozen=True, kw_only=True, tag="log.sealed.v1"):
    """Nothing is written to this partition any more. Where its positions border on another's, some within are of that one."""

    partition: int
    first_position: int
    last_position: int
    events: int


class PartitionDetached(Event, frozen=True, kw_only=True, tag="log.detached.v1"):
    """It is out of the log's table, its entries having been exported and found whole; the tree keeps their hashes."""

    partition: int
    first_position: int
    last_position: int
    events: int


class PartitionAttached(Event, frozen=True, kw_only=True, tag="log.attached.v1"):
    """It is back, each entry hashing as the tree says."""

    partition: int
    first_position: int
    last_position: int
    events: int


LogEvent = EpochOpened | LogPruned | PartitionSealed | PartitionDetached | PartitionAttached


class Log(Struct, frozen=True, kw_only=True):
    epoch: int = 1
    pruned: int = 0
    """Events whose payload has gone."""
    detached: tuple[int, ...] = ()
    """Partitions that lie elsewhere."""


def evolve(state: Log, event: LogEvent) -> Log:
    match event:
        case EpochOpened():
            return replace(state, epoch=event.epoch)
        case LogPruned():
            return replace(state, pruned=state.pruned + event.count)
        case PartitionDetached():
            return replace(state, detached=tuple(sorted({*state.detached, event.partition})))
        case PartitionAttached():
            return replace(state, detached=tuple(n for n in state.detached if n != event.partition))
        case PartitionSealed():
            return state
        case _:
            assert_never(event)


decider: Decider[Log, LogEvent] = Decider(CATEGORY, Log, 2, Log(), evolve)


def open_epoch(
    state: Log, *, epoch: int, reason: EpochReason, kept: int, agreed: int, earlier: LastPublished | None, at: datetime
) -> Sequence[LogEvent]:
    if epoch <= state.epoch:
        return []
    return [EpochOpened(epoch=epoch, reason=reason, kept=kept, agreed=agreed, earlier=earlier, at=at)]


class Stretch(Struct, frozen=True, kw_only=True):
    """A partition, between which positions its events lie, and how many they are."""

    partition: int
    first_position: int
    last_position: int
    events: int


def prune(_: Log, *, of: Stretch, count: int, older_than: datetime, at: datetime) -> Sequence[LogPruned]:
    return [
        LogPruned(
            partition=of.partition,
            first_position=of.first_position,
            last_position=of.last_position,
            count=count,
            older_than=older_than,
            at=at,
        )
    ]


def seal(_: Log, *, of: Stretch, at: datetime) -> Sequence[PartitionSealed]:
    return [PartitionSealed(**asdict(of), at=at)]


def detach(state: Log, *, of: Stretch, at: datetime) -> Sequence[PartitionDetached]:
    return [] if of.partition in state.detached else [PartitionDetached(**asdict(of), at=at)]


def attach(state: Log, *, of: Stretch, at: datetime) -> Sequence[PartitionAttached]:
    return [PartitionAttached(**asdict(of), at=at)] if of.partition in state.detached else []
