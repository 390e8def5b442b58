"""What clients were told is done, and whether the log has it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias

import asyncpg
import msgspec

Row: TypeAlias = asyncpg.Record | Mapping[str, Any]
"""Of the log: type, stream, payload."""
Effect = tuple[str, str, int]
"""Type and stream of an event, and the generation where it issued a token (else 0)."""


def effect(kind: str, stream: str, generation: int = 0) -> Effect:
    return (kind, stream, generation)


def effects_of(events: Iterable[Row]) -> Counter[Effect]:
    return Counter(_effect_of(event) for event in events)


def _effect_of(event: Row) -> Effect:
    payload: dict[str, Any] = msgspec.json.decode(event["payload"]) if event["type"] == "session.token_issued.v1" else {}
    return effect(event["type"], event["stream"], payload.get("generation", 0))


@dataclass(slots=True)
class Acknowledged:
    """Each effect is to be in the log once; what was refused, never. `roles`: the last word on each user's, None when it was lost."""

    effects: dict[Effect, float] = field(default_factory=dict[Effect, float])
    """When it was acknowledged, in seconds of CLOCK_MONOTONIC."""
    refused: set[Effect] = field(default_factory=set[Effect])
    users: dict[str, str] = field(default_factory=dict[str, str])
    """Addresses by user id."""
    roles: dict[str, bool | None] = field(default_factory=dict[str, bool | None])
    late: set[str] = field(default_factory=set[str])
    """Sessions whose refresh was tried for longer than the grace: the next try may have ended them as stolen."""
    lost: int = 0
    """Requests whose answer never came, or said that a store was away."""
    wrong: list[str] = field(default_factory=list[str])
    """Answers that should not have been."""

    def done(self, kind: str, stream: str, generation: int = 0) -> None:
        self.effects.setdefault(effect(kind, stream, generation), monotonic())

    def kinds(self) -> Mapping[str, int]:
        """Give how many there are of each type of event."""
        return dict(sorted(Counter(kind for kind, *_ in self.effects).items()))


def missing(told: Acknowledged, seen: Mapping[Effect, int], *, before: float = float("inf")) -> list[str]:
    """Give what was acknowledged before a moment and is not in the log, or more than once."""
    return [
        f"{kind} of {stream} {generation or ''} is there {seen.get((kind, stream, generation), 0)} times"
        for (kind, stream, generation), at in told.effects.items()
        if at < before and seen.get((kind, stream, generation), 0) != 1
    ]


def against(told: Acknowledged, events: Sequence[Row]) -> list[str]:
    """Give all in which the log differs from what clients were told."""
    seen = effects_of(events)
    found = missing(told, seen)
    found += [f"{each} was refused and is there" for each in told.refused if each in seen]
    found += [
        f"{stream}: a client that only repeated itself was called a thief"
        for kind, stream, _ in seen
        if kind == "session.refresh_reused.v1" and stream.removeprefix("session-") not in told.late
    ]
    held: dict[str, bool] = {}
    for event in events:
        if event["type"] in {"user.role_granted.v1", "user.role_revoked.v1"}:
            held[event["stream"].removeprefix("user-")] = event["type"] == "user.role_granted.v1"
    found += [
        f"user-{user_id}: holds the role: {held.get(user_id, False)}, was told: {given}"
        for user_id, given in told.roles.items()
        if given is not None and held.get(user_id, False) != given
    ]
    return found
