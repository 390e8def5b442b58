"""The first administrator is made once, in the same append as this stream's only event (threats.md 18)."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from domain.decider import Decider
from domain.errors import BootstrapClosed
from domain.event import Event
from domain.ids import StreamName, UserId


class BootstrapCompleted(Event, frozen=True, kw_only=True, tag="bootstrap.completed.v1"):
    user_id: UserId


class Bootstrap(Struct, frozen=True, kw_only=True):
    completed: bool = False


def evolve(state: Bootstrap, event: BootstrapCompleted) -> Bootstrap:
    return Bootstrap(completed=True)


decider: Decider[Bootstrap, BootstrapCompleted] = Decider("bootstrap", Bootstrap, 1, Bootstrap(), evolve)
STREAM = StreamName("bootstrap")


def complete(state: Bootstrap, *, user_id: UserId, at: datetime) -> Sequence[BootstrapCompleted]:
    if state.completed:
        raise BootstrapClosed
    return [BootstrapCompleted(user_id=user_id, at=at)]
