"""A name that can belong to one account only: an e-mail address or a username.

The name itself is never here: which claim a name leads to is the business of the claim index (threats.md 11).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from domain.decider import Decider
from domain.event import Event
from domain.ids import ClaimId, StreamName, UserId


class ClaimKind(StrEnum):
    EMAIL = "email"
    USERNAME = "username"


class ClaimTaken(Event, frozen=True, kw_only=True, tag="claim.taken.v1"):
    claim_id: ClaimId
    kind: ClaimKind
    user_id: UserId


class ClaimReleased(Event, frozen=True, kw_only=True, tag="claim.released.v1"):
    claim_id: ClaimId


ClaimEvent = ClaimTaken | ClaimReleased


class Free(Struct, frozen=True, tag="free"):
    pass


class Held(Struct, frozen=True, kw_only=True, tag="held"):
    claim_id: ClaimId
    kind: ClaimKind
    user_id: UserId


class Released(Struct, frozen=True, kw_only=True, tag="released"):
    """Final: a later owner of the name gets a new claim."""

    claim_id: ClaimId


Claim = Free | Held | Released


def evolve(state: Claim, event: ClaimEvent) -> Claim:
    match event:
        case ClaimTaken():
            return Held(claim_id=event.claim_id, kind=event.kind, user_id=event.user_id)
        case ClaimReleased():
            return Released(claim_id=event.claim_id)
        case _:
            assert_never(event)


decider: Decider[Claim, ClaimEvent] = Decider("claim", Claim, 1, Free(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(claim_id: ClaimId) -> StreamName:
    return StreamName(f"claim-{claim_id}")


def take(state: Claim, *, claim_id: ClaimId, kind: ClaimKind, user_id: UserId, at: datetime) -> Sequence[ClaimEvent]:
    if not isinstance(state, Free):
        return []
    return [ClaimTaken(claim_id=claim_id, kind=kind, user_id=user_id, at=at)]


def release(state: Claim, *, at: datetime) -> Sequence[ClaimEvent]:
    match state:
        case Held(claim_id=claim_id):
            return [ClaimReleased(claim_id=claim_id, at=at)]
        case Free() | Released():
            return []
        case _:
            assert_never(state)
