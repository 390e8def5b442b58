"""Somebody is to be erased: it happens after a wait in which it can be thought better of.

Stages: None -> Asked -> None again, or Begun -> Completed. Once begun the account is deleted without a way back; it is completed when
nothing of the person can be read any more and a place outside the database knows, too, so that no old backup brings them back. Services
that may hold something of theirs acknowledge it afterwards, each for itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeGuard, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.erasure_events import (
    ErasureAcknowledged,
    ErasureAsked,
    ErasureBegun,
    ErasureCompleted,
    ErasureEvent,
    ErasureNamesReleased,
    ErasurePostponed,
    ErasureReminded,
    ErasureWithdrawn,
)
from domain.errors import NoErasureAsked, NoSuchErasure
from domain.ids import AudienceName, AudienceSlug, StreamName, UserId
from domain.user_events import AskedBy

REMINDERS = 5
"""Of a service that does not acknowledge: after a day, then after twice as long each time, a month in all."""


class NotAsked(Struct, frozen=True, tag="not_asked"):
    pass


class Asked(Struct, frozen=True, kw_only=True, tag="asked"):
    asked_at: datetime
    due_at: datetime
    asked_by: AskedBy = AskedBy.OWN_REQUEST


class Begun(Struct, frozen=True, kw_only=True, tag="begun"):
    begun_at: datetime
    asked_at: datetime | None = None
    asked_by: AskedBy = AskedBy.OWN_REQUEST
    again: bool = False
    """It had been done before, in a database that was set back."""


class Acknowledgement(Struct, frozen=True, kw_only=True):
    audience: AudienceSlug
    at: datetime


class Completed(Struct, frozen=True, kw_only=True, tag="completed"):
    """`told` have to acknowledge it; `acknowledged` did, in this order, and so may others."""

    begun: Begun
    completed_at: datetime
    told: tuple[AudienceSlug, ...]
    names_until: datetime | None
    acknowledged: tuple[Acknowledgement, ...] = ()
    reminders: int = 0
    reminded_at: datetime | None = None

    @property
    def missing(self) -> tuple[AudienceSlug, ...]:
        """Who has not acknowledged it."""
        have = {each.audience for each in self.acknowledged}
        return tuple(audience for audience in self.told if audience not in have)


Erasure = NotAsked | Asked | Begun | Completed


def evolve(state: Erasure, event: ErasureEvent) -> Erasure:
    match event:
        case ErasureAsked():
            asked_at = state.asked_at if isinstance(state, Asked) else event.at
            return Asked(asked_at=asked_at, due_at=event.due_at, asked_by=event.asked_by)
        case ErasurePostponed():
            return replace(state, due_at=event.due_at) if isinstance(state, Asked) else state
        case ErasureWithdrawn():
            return NotAsked()
        case ErasureBegun():
            return _begun(state, event)
        case ErasureCompleted():
            begun = state if isinstance(state, Begun) else Begun(begun_at=event.at)
            return Completed(begun=begun, completed_at=event.at, told=event.told, names_until=event.names_until)
        case ErasureNamesReleased() | ErasureReminded() | ErasureAcknowledged():
            return _after(state, event) if isinstance(state, Completed) else state
        case _:
            assert_never(event)


def _begun(state: Erasure, event: ErasureBegun) -> Begun:
    asked = state if isinstance(state, Asked) else None
    return Begun(
        begun_at=event.at,
        asked_at=None if asked is None else asked.asked_at,
        asked_by=event.again or (AskedBy.OWN_REQUEST if asked is None else asked.asked_by),
        again=event.again is not None,
    )


def _after(state: Completed, event: ErasureNamesReleased | ErasureReminded | ErasureAcknowledged) -> Completed:
    match event:
        case ErasureNamesReleased():
            return replace(state, names_until=None)
        case ErasureReminded():
            return replace(state, reminders=event.number, reminded_at=event.at)
        case ErasureAcknowledged():
            acknowledged = (*state.acknowledged, Acknowledgement(audience=event.audience, at=event.at))
            return replace(state, acknowledged=acknowledged)
        case _:
            assert_never(event)


decider: Decider[Erasure, ErasureEvent] = Decider("erasure", Erasure, 2, NotAsked(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"erasure-{user_id}")


def ask(state: Erasure, *, user_id: UserId, wait_s: int, asked_by: AskedBy = AskedBy.OWN_REQUEST, at: datetime) -> Sequence[ErasureEvent]:
    """Asking again does not put it off. Who is to be erased by others' wish and asks for it, too, makes it their own: then nobody but they
    withdraw it."""
    match state:
        case NotAsked():
            return [ErasureAsked(user_id=user_id, due_at=at + timedelta(seconds=wait_s), asked_by=asked_by, at=at)]
        case Asked() if asked_by is AskedBy.OWN_REQUEST and state.asked_by is not AskedBy.OWN_REQUEST:
            return [ErasureAsked(user_id=user_id, due_at=state.due_at, asked_by=asked_by, at=at)]
        case Asked() | Begun() | Completed():
            return []
        case _:
            assert_never(state)


def hold(state: Erasure, *, user_id: UserId, period_s: int, at: datetime) -> Sequence[ErasureEvent]:
    """Let it begin no sooner than so many seconds after it was asked for."""
    return _postpone(state, user_id, state.asked_at + timedelta(seconds=period_s), at) if is_own(state) else []


def leave_time(state: Erasure, *, user_id: UserId, wait_s: int, at: datetime) -> Sequence[ErasureEvent]:
    """Let it begin no sooner than so many seconds from now."""
    return _postpone(state, user_id, at + timedelta(seconds=wait_s), at) if is_own(state) else []


def is_own(state: Erasure) -> TypeGuard[Asked]:
    """Whether its owner asked for it, who may be somebody else in their name; what administrators ask for waits for nobody."""
    return isinstance(state, Asked) and state.asked_by is AskedBy.OWN_REQUEST


def _postpone(state: Asked, user_id: UserId, until: datetime, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing is brought forward."""
    return [ErasurePostponed(user_id=user_id, due_at=until, at=at)] if until > state.due_at else []


def withdraw(state: Erasure, *, user_id: UserId, own: bool = True, at: datetime) -> Sequence[ErasureEvent]:
    """Withdraw one's own wish, or that of administrators: nobody withdraws the other's. Raises NoErasureAsked, also once it has begun."""
    if not isinstance(state, Asked) or is_own(state) is not own:
        raise NoErasureAsked
    return [ErasureWithdrawn(user_id=user_id, at=at)]


def begin(state: Erasure, *, user_id: UserId, not_before: datetime | None = None, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing happens before its time, or where it was withdrawn; one's own is put off for as long as somebody may take back what was done
    to the account."""
    if not isinstance(state, Asked) or at < state.due_at:
        return []
    if is_own(state) and not_before is not None and at < not_before:
        return _postpone(state, user_id, not_before, at)
    return [ErasureBegun(user_id=user_id, at=at)]


def begin_again(state: Erasure, *, user_id: UserId, asked_by: AskedBy, at: datetime) -> Sequence[ErasureEvent]:
    """Begin at once what had been done already, in a database that was set back to before it."""
    match state:
        case Begun() | Completed():
            return []
        case NotAsked() | Asked():
            return [ErasureBegun(user_id=user_id, again=asked_by, at=at)]
        case _:
            assert_never(state)


def complete(
    state: Erasure, *, user_id: UserId, told: Iterable[AudienceName], names_until: datetime | None, at: datetime
) -> Sequence[ErasureEvent]:
    if not isinstance(state, Begun):
        return []
    return [ErasureCompleted(user_id=user_id, told=tuple(sorted(told)), names_until=names_until, at=at)]


def release_names(state: Erasure, *, user_id: UserId, early: bool = False, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing happens before their time, unless somebody frees them early."""
    if not isinstance(state, Completed) or state.names_until is None or not (early or at >= state.names_until):
        return []
    return [ErasureNamesReleased(user_id=user_id, at=at)]


def remind(state: Erasure, *, user_id: UserId, at: datetime) -> Sequence[ErasureEvent]:
    """Tell services again while some are missing: rarely, and not for ever."""
    if not isinstance(state, Completed) or not state.missing or state.reminders >= REMINDERS:
        return []
    if at < remind_at(state.reminded_at or state.completed_at, state.reminders):
        return []
    return [ErasureReminded(user_id=user_id, number=state.reminders + 1, at=at)]


def remind_at(told_at: datetime, reminders: int) -> datetime:
    """Give when the next reminder is due, after so many."""
    return told_at + timedelta(days=2**reminders)


def acknowledge(state: Erasure, *, user_id: UserId, audience: AudienceName, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing happens the second time. Raises NoSuchErasure until it is completed: before that nobody was told."""
    if not isinstance(state, Completed):
        raise NoSuchErasure
    if any(each.audience == audience for each in state.acknowledged):
        return []
    return [ErasureAcknowledged(user_id=user_id, audience=audience, at=at)]
