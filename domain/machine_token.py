"""One token of a machine, where it is worth a stream: a service token, which lives for weeks, or any that was revoked by itself.

Stages: Absent -> Issued -> Revoked. A short access token is never written; revoking one goes from Absent to Revoked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.ending import ends_soon
from domain.errors import NoSuchToken
from domain.event import Event
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, Kid, KidText, StreamName, TokenId
from domain.permission import Permission, PermissionText


class TokenRevocation(StrEnum):
    BY_HOLDER = "by_holder"
    ADMINISTRATIVE = "administrative"
    LEAKED = "leaked"


class ServiceTokenIssued(Event, frozen=True, kw_only=True, tag="token.issued.v1"):
    token_id: TokenId
    client_id: ClientSlug
    audience: AudienceSlug
    permissions: tuple[PermissionText, ...]
    kid: KidText
    """The key that signed it, which has to verify as long as it lives."""
    expires_at: datetime


class ServiceTokenExpiresSoon(Event, frozen=True, kw_only=True, tag="token.expires_soon.v1"):
    """It is in the last part of its life: once, ahead of its end, so that whoever listens can see to the next one."""

    token_id: TokenId
    client_id: ClientSlug
    expires_at: datetime


class TokenRevoked(Event, frozen=True, kw_only=True, tag="token.revoked.v1"):
    token_id: TokenId
    client_id: ClientSlug
    reason: TokenRevocation
    expires_at: datetime
    """When the token itself ends: what a revocation has to outlive (threats.md 8)."""


MachineTokenEvent = ServiceTokenIssued | ServiceTokenExpiresSoon | TokenRevoked


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Issued(Struct, frozen=True, kw_only=True, tag="issued"):
    token_id: TokenId
    client_id: ClientSlug
    issued_at: datetime
    expires_at: datetime
    told: bool = False
    """That it ends soon has been said."""


class Revoked(Struct, frozen=True, kw_only=True, tag="revoked"):
    token_id: TokenId


MachineToken = Absent | Issued | Revoked


def evolve(state: MachineToken, event: MachineTokenEvent) -> MachineToken:
    match event:
        case ServiceTokenIssued():
            return Issued(token_id=event.token_id, client_id=event.client_id, issued_at=event.at, expires_at=event.expires_at)
        case ServiceTokenExpiresSoon():
            return replace(state, told=True) if isinstance(state, Issued) else state
        case TokenRevoked():
            return Revoked(token_id=event.token_id)
        case _:
            assert_never(event)


decider: Decider[MachineToken, MachineTokenEvent] = Decider("token", MachineToken, 2, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(token_id: TokenId) -> StreamName:
    return StreamName(f"token-{token_id}")


def issue(
    state: MachineToken,
    *,
    token_id: TokenId,
    client_id: ClientId,
    audience: AudienceName,
    permissions: Iterable[Permission],
    kid: Kid,
    expires_at: datetime,
    at: datetime,
) -> Sequence[MachineTokenEvent]:
    if not isinstance(state, Absent):
        return []
    wanted = tuple(sorted(set(permissions)))
    return [
        ServiceTokenIssued(
            token_id=token_id, client_id=client_id, audience=audience, permissions=wanted, kid=kid, expires_at=expires_at, at=at
        )
    ]


def revoke(
    state: MachineToken, *, token_id: TokenId, client_id: ClientId, expires_at: datetime, reason: TokenRevocation, at: datetime
) -> Sequence[MachineTokenEvent]:
    """Kill one token. One that has expired, or is dead already, is left as it is."""
    if isinstance(state, Revoked) or at >= expires_at:
        return []
    return [TokenRevoked(token_id=token_id, client_id=client_id, reason=reason, expires_at=expires_at, at=at)]


def revoke_issued(state: MachineToken, *, reason: TokenRevocation, at: datetime) -> Sequence[MachineTokenEvent]:
    """Kill a service token by its id alone. Raises NoSuchToken for one that was never issued as such."""
    match state:
        case Absent():
            raise NoSuchToken
        case Revoked():
            return []
        case Issued():
            return revoke(state, token_id=state.token_id, client_id=state.client_id, expires_at=state.expires_at, reason=reason, at=at)
        case _:
            assert_never(state)


def tell_of_end(state: MachineToken, *, at: datetime) -> Sequence[MachineTokenEvent]:
    """Say once of a service token that it ends soon: in the last fifth of its life, and no more than 14 days ahead."""
    if not isinstance(state, Issued) or state.told or not ends_soon(since=state.issued_at, until=state.expires_at, at=at):
        return []
    return [ServiceTokenExpiresSoon(token_id=state.token_id, client_id=state.client_id, expires_at=state.expires_at, at=at)]


def is_live(state: MachineToken, *, long_lived: bool) -> bool:
    """Tell whether a token that verifies is still good by itself: a long one has to have been issued as such."""
    return isinstance(state, Issued) if long_lived else not isinstance(state, Revoked)
