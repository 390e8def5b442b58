"""Who holds the administrator's role and may use it: one stream, so that two cannot remove each other (threats.md 18)."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from domain.decider import Decider
from domain.errors import LastAdminProtected
from domain.event import Event
from domain.ids import StreamName, UserId


class AdministratorAdded(Event, frozen=True, kw_only=True, tag="administrators.added.v1"):
    user_id: UserId


class AdministratorRemoved(Event, frozen=True, kw_only=True, tag="administrators.removed.v1"):
    user_id: UserId


AdministratorsEvent = AdministratorAdded | AdministratorRemoved


class Administrators(Struct, frozen=True, kw_only=True):
    user_ids: frozenset[UserId] = frozenset()


def evolve(state: Administrators, event: AdministratorsEvent) -> Administrators:
    match event:
        case AdministratorAdded():
            return Administrators(user_ids=state.user_ids | {event.user_id})
        case AdministratorRemoved():
            return Administrators(user_ids=state.user_ids - {event.user_id})
        case _:
            assert_never(event)


decider: Decider[Administrators, AdministratorsEvent] = Decider("administrators", Administrators, 1, Administrators(), evolve)
STREAM = StreamName("administrators")


def add(state: Administrators, user_id: UserId, *, at: datetime) -> Sequence[AdministratorsEvent]:
    if user_id in state.user_ids:
        return []
    return [AdministratorAdded(user_id=user_id, at=at)]


def stays_without(state: Administrators, user_id: UserId) -> None:
    """Raises LastAdminProtected for the only one there is."""
    if state.user_ids == frozenset({user_id}):
        raise LastAdminProtected


def remove(state: Administrators, user_id: UserId, *, even_the_last: bool = False, at: datetime) -> Sequence[AdministratorsEvent]:
    """Raises LastAdminProtected when nobody would be left and that is not to be."""
    if user_id not in state.user_ids:
        return []
    if not even_the_last:
        stays_without(state, user_id)
    return [AdministratorRemoved(user_id=user_id, at=at)]
