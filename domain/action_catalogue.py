"""The actions of one audience: what each asks of whoever gets a token for it, and who may use that up (threats.md 5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from domain.assurance import StepUp
from domain.decider import Decider
from domain.errors import ActionsExhausted, NoSuchAction
from domain.event import Event
from domain.ids import ActionName, ActionSlug, AudienceName, AudienceSlug, ClientId, ClientSlug, StreamName

MOST = 256
"""Actions of one audience."""


class ActionDefined(Event, frozen=True, kw_only=True, tag="actions.defined.v1"):
    audience: AudienceSlug
    action: ActionSlug
    step_up: StepUp
    verifiers: tuple[ClientSlug, ...]


class ActionWithdrawn(Event, frozen=True, kw_only=True, tag="actions.withdrawn.v1"):
    audience: AudienceSlug
    action: ActionSlug


ActionsEvent = ActionDefined | ActionWithdrawn


class ActionRule(Struct, frozen=True, kw_only=True):
    action: ActionSlug
    step_up: StepUp
    verifiers: tuple[ClientSlug, ...]
    """The service accounts that are this audience where the action is done."""


class Catalogue(Struct, frozen=True, kw_only=True):
    actions: tuple[ActionRule, ...] = ()
    """By name."""


def evolve(state: Catalogue, event: ActionsEvent) -> Catalogue:
    others = tuple(rule for rule in state.actions if rule.action != event.action)
    match event:
        case ActionDefined():
            rule = ActionRule(action=event.action, step_up=event.step_up, verifiers=event.verifiers)
            return Catalogue(actions=tuple(sorted((*others, rule), key=lambda each: each.action)))
        case ActionWithdrawn():
            return Catalogue(actions=others)
        case _:
            assert_never(event)


decider: Decider[Catalogue, ActionsEvent] = Decider("actions", Catalogue, 1, Catalogue(), evolve)


def stream(audience: AudienceName) -> StreamName:
    return StreamName(f"actions-{audience}")


def define_action(
    state: Catalogue, action: ActionName, *, audience: AudienceName, step_up: StepUp, verifiers: Sequence[ClientId], at: datetime
) -> Sequence[ActionsEvent]:
    """Say what an action asks, anew where it is known. Raises ActionsExhausted."""
    wanted = ActionRule(action=action, step_up=step_up, verifiers=tuple(sorted(set(verifiers))))
    if wanted in state.actions:
        return []
    if len(state.actions) >= MOST and all(rule.action != action for rule in state.actions):
        raise ActionsExhausted
    return [ActionDefined(audience=audience, action=action, step_up=step_up, verifiers=wanted.verifiers, at=at)]


def withdraw_action(state: Catalogue, action: ActionName, *, audience: AudienceName, at: datetime) -> Sequence[ActionsEvent]:
    if all(rule.action != action for rule in state.actions):
        return []
    return [ActionWithdrawn(audience=audience, action=action, at=at)]


def rule_of(state: Catalogue, action: ActionName) -> ActionRule:
    """Raises NoSuchAction."""
    for rule in state.actions:
        if rule.action == action:
            return rule
    raise NoSuchAction
