"""The one use of an action token. Giving one out writes nothing; using it up is the first and last event of its stream.

Stages: Unused -> Used.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from domain.decider import Decider
from domain.errors import ActionTokenUsed
from domain.event import Event
from domain.ids import ActionId, ActionName, ActionSlug, AudienceName, AudienceSlug, SessionId, StreamName, UserId


class ActionConsumed(Event, frozen=True, kw_only=True, tag="action.consumed.v1"):
    """Who used it up is the actor."""

    action_id: ActionId
    user_id: UserId
    session_id: SessionId
    audience: AudienceSlug
    action: ActionSlug


class Unused(Struct, frozen=True, tag="unused"):
    pass


class Used(Struct, frozen=True, kw_only=True, tag="used"):
    at: datetime


Action = Unused | Used


def evolve(_: Action, event: ActionConsumed) -> Action:
    return Used(at=event.at)


decider: Decider[Action, ActionConsumed] = Decider("action", Action, 1, Unused(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(action_id: ActionId) -> StreamName:
    return StreamName(f"action-{action_id}")


def consume(
    state: Action,
    *,
    action_id: ActionId,
    user_id: UserId,
    session_id: SessionId,
    audience: AudienceName,
    action: ActionName,
    at: datetime,
) -> Sequence[ActionConsumed]:
    """Raises ActionTokenUsed the second time."""
    if isinstance(state, Used):
        raise ActionTokenUsed
    return [ActionConsumed(action_id=action_id, user_id=user_id, session_id=session_id, audience=audience, action=action, at=at)]
