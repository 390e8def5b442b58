"""Why a sign-in was refused or allowed: the rule, and what it looked at as of a position, each with the event that made it so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from commands.ports import Ports, StoredEvent
from domain import codec, factor_policy, factors, sign_in_guard, sign_in_rule, user
from domain.audience import BUILT_IN
from domain.audience import stream as audience_stream
from domain.decider import Decider
from domain.errors import NoSuchAudience, NoSuchUser
from domain.ids import AudienceName, EventId, StreamName, UserId
from domain.sign_in_rule import Known, Value, Verdict

S = TypeVar("S")


class Cited(Struct, frozen=True, kw_only=True):
    """The event that made it so."""

    position: int
    event_id: EventId
    recorded_at: datetime


class Input(Struct, frozen=True, kw_only=True):
    """`since` is null for what no event has said by then, and for a setting, which the log does not have: that one is as of now."""

    name: str
    value: Value
    provable: bool
    since: Cited | None


class Explained(Struct, frozen=True, kw_only=True):
    """`verdict` is what a right password led to; `rule_version` says by which rule."""

    verdict: Verdict
    rule_version: int
    inputs: Sequence[Input]


@dataclass(frozen=True, slots=True)
class _Folded(Generic[S]):
    state: S
    inputs: Sequence[Input]


async def explain_sign_in(user_id: UserId, ports: Ports, *, audience: AudienceName, at: datetime, through: int) -> Explained:
    """Fold what the rule looks at up to a position, which is that of the moment `at`.

    Raises NoSuchUser, NoSuchAudience for one that never was, StoreUnavailable.
    """
    of_user = await ports.store.read_stream(user.stream(user_id))
    if not of_user:
        raise NoSuchUser
    if audience not in BUILT_IN and not await ports.store.read_stream(audience_stream(audience)):
        raise NoSuchAudience
    who = _fold(user.decider, of_user, through, sign_in_rule.said_of_user)
    guard = await _read(ports, sign_in_guard.decider, sign_in_guard.stream(user_id), through, sign_in_rule.said_of_guard)
    enrolled = await _read(ports, factors.decider, factors.stream(user_id), through, sign_in_rule.said_of_factors)
    policy = await _read(ports, factor_policy.decider, factor_policy.STREAM, through, sign_in_rule.said_of_policy)
    known = Known(
        who=who.state,
        guard=guard.state,
        factors=enrolled.state,
        policy=policy.state,
        audience=audience,
        unverified_sign_in=ports.policy.unverified_sign_in,
    )
    setting = Input(name="setting_unverified_sign_in", value=known.unverified_sign_in, provable=False, since=None)
    return Explained(
        verdict=sign_in_rule.verdict(known, at=at),
        rule_version=sign_in_rule.VERSION,
        inputs=[*who.inputs, *guard.inputs, *enrolled.inputs, *policy.inputs, setting],
    )


async def _read(
    ports: Ports, of: Decider[S, Any], stream: StreamName, through: int, said: Callable[[S], Mapping[str, Value]]
) -> _Folded[S]:
    return _fold(of, await ports.store.read_stream(stream), through, said)


def _fold(of: Decider[S, Any], events: Sequence[StoredEvent], through: int, said: Callable[[S], Mapping[str, Value]]) -> _Folded[S]:
    """Fold to the position, noting for each thing that is said which event last changed it."""
    state, since = of.initial, dict[str, Cited]()
    values = said(state)
    for event in events:
        if event.position is None or event.position > through:
            break
        if event.pruned:
            continue
        state = of.evolve(state, codec.decode_event(event.type, event.payload))
        before, values = values, said(state)
        cited = Cited(position=event.position, event_id=event.event_id, recorded_at=event.recorded_at)
        since.update((name, cited) for name, value in values.items() if value != before[name] or event.version == 1)
    inputs = [Input(name=name, value=value, provable=True, since=since.get(name)) for name, value in values.items()]
    return _Folded(state, inputs)
