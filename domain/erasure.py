"""Somebody asks for their account to be erased: it happens after a wait in which they can think better of it.

Stages: None -> Asked -> None again, or Begun. Once begun the account is deleted and its names are free; what is sealed of it is destroyed
by erasure itself, which takes up whatever has begun.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import NoErasureAsked
from domain.event import Event
from domain.ids import StreamName, UserId


class ErasureAsked(Event, frozen=True, kw_only=True, tag="erasure.asked.v1"):
    user_id: UserId
    due_at: datetime


class ErasurePostponed(Event, frozen=True, kw_only=True, tag="erasure.postponed.v1"):
    """Its owner could not withdraw it, being suspended or deleted, or can still take back what somebody else may have done to the
    account: it happens no sooner than that."""

    user_id: UserId
    due_at: datetime


class ErasureWithdrawn(Event, frozen=True, kw_only=True, tag="erasure.withdrawn.v1"):
    user_id: UserId


class ErasureBegun(Event, frozen=True, kw_only=True, tag="erasure.begun.v1"):
    """Its time had come. There is no way back."""

    user_id: UserId


ErasureEvent = ErasureAsked | ErasurePostponed | ErasureWithdrawn | ErasureBegun


class NotAsked(Struct, frozen=True, tag="not_asked"):
    pass


class Asked(Struct, frozen=True, kw_only=True, tag="asked"):
    asked_at: datetime
    due_at: datetime


class Begun(Struct, frozen=True, kw_only=True, tag="begun"):
    begun_at: datetime


Erasure = NotAsked | Asked | Begun


def evolve(state: Erasure, event: ErasureEvent) -> Erasure:
    match event:
        case ErasureAsked():
            return Asked(asked_at=event.at, due_at=event.due_at)
        case ErasurePostponed():
            return replace(state, due_at=event.due_at) if isinstance(state, Asked) else state
        case ErasureWithdrawn():
            return NotAsked()
        case ErasureBegun():
            return Begun(begun_at=event.at)
        case _:
            assert_never(event)


decider: Decider[Erasure, ErasureEvent] = Decider("erasure", Erasure, 1, NotAsked(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"erasure-{user_id}")


def ask(state: Erasure, *, user_id: UserId, wait_s: int, at: datetime) -> Sequence[ErasureEvent]:
    """Asking again does not put it off."""
    if not isinstance(state, NotAsked):
        return []
    return [ErasureAsked(user_id=user_id, due_at=at + timedelta(seconds=wait_s), at=at)]


def hold(state: Erasure, *, user_id: UserId, period_s: int, at: datetime) -> Sequence[ErasureEvent]:
    """Let it begin no sooner than so many seconds after it was asked for."""
    return _postpone(state, user_id, state.asked_at + timedelta(seconds=period_s), at) if isinstance(state, Asked) else []


def leave_time(state: Erasure, *, user_id: UserId, wait_s: int, at: datetime) -> Sequence[ErasureEvent]:
    """Let it begin no sooner than so many seconds from now."""
    return _postpone(state, user_id, at + timedelta(seconds=wait_s), at) if isinstance(state, Asked) else []


def _postpone(state: Asked, user_id: UserId, until: datetime, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing is brought forward."""
    return [ErasurePostponed(user_id=user_id, due_at=until, at=at)] if until > state.due_at else []


def withdraw(state: Erasure, *, user_id: UserId, at: datetime) -> Sequence[ErasureEvent]:
    """Raises NoErasureAsked, also once it has begun."""
    if not isinstance(state, Asked):
        raise NoErasureAsked
    return [ErasureWithdrawn(user_id=user_id, at=at)]


def begin(state: Erasure, *, user_id: UserId, not_before: datetime | None = None, at: datetime) -> Sequence[ErasureEvent]:
    """Nothing happens before its time, or where it was withdrawn; it is put off for as long as somebody may take back what was done to
    the account."""
    if not isinstance(state, Asked) or at < state.due_at:
        return []
    if not_before is not None and at < not_before:
        return _postpone(state, user_id, not_before, at)
    return [ErasureBegun(user_id=user_id, at=at)]
