"""A key that a person or a service account made for its programs: a part of what its owner may do, until it ends.

Stages: Absent -> Live -> Revoked, and Forgotten once its owner was erased. Expiry is read from the times. What it gives is looked at
against its owner at each use.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.ending import ends_soon
from domain.errors import ApiKeyEnded, NoSuchApiKey
from domain.event import Event, Sealed
from domain.ids import AudienceName, AudienceSlug, ClientSlug, DigestText, KeyId, StreamName, UserId
from domain.permission import Permission, PermissionText


class KeyRevocation(StrEnum):
    BY_OWNER = "by_owner"
    ADMINISTRATIVE = "administrative"
    BY_HOLDER = "by_holder"
    LEAKED = "leaked"
    PASSWORD_RESET = "password_reset"
    ACCOUNT_DELETED = "account_deleted"
    SUSPENDED = "suspended"


class KeyDigest(Struct, frozen=True, kw_only=True):
    """The secret of a key as it is known: an HMAC of 256 random bits, under version `key_version`."""

    digest: DigestText
    key_version: int


class ApiKeyMade(Event, frozen=True, kw_only=True, tag="api_key.made.v1"):
    """Of one owner: a person, or a service account."""

    key_id: KeyId
    user_id: UserId | None
    client_id: ClientSlug | None
    name: Sealed
    audience: AudienceSlug
    permissions: tuple[PermissionText, ...]
    secret: KeyDigest
    expires_at: datetime


class ApiKeyRotated(Event, frozen=True, kw_only=True, tag="api_key.rotated.v1"):
    """The secret before works until `previous_until`."""

    key_id: KeyId
    user_id: UserId | None
    secret: KeyDigest
    previous_until: datetime
    expires_at: datetime


class ApiKeyExpiresSoon(Event, frozen=True, kw_only=True, tag="api_key.expires_soon.v1"):
    """It is in the last part of its life: once before each end, so that its owner can see to what comes after it."""

    key_id: KeyId
    user_id: UserId | None
    expires_at: datetime


class ApiKeyRevoked(Event, frozen=True, kw_only=True, tag="api_key.revoked.v1"):
    key_id: KeyId
    user_id: UserId | None
    reason: KeyRevocation


class ApiKeyErased(Event, frozen=True, kw_only=True, tag="api_key.erased.v1"):
    """Its owner was erased: the last event of its stream."""

    key_id: KeyId
    user_id: UserId


ApiKeyEvent = ApiKeyMade | ApiKeyRotated | ApiKeyExpiresSoon | ApiKeyRevoked | ApiKeyErased


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Live(Struct, frozen=True, kw_only=True, tag="live"):
    key_id: KeyId
    user_id: UserId | None
    client_id: ClientSlug | None
    name: Sealed
    audience: AudienceSlug
    permissions: tuple[PermissionText, ...]
    secret: KeyDigest
    previous: KeyDigest | None
    previous_until: datetime | None
    made_at: datetime
    expires_at: datetime
    turned_at: datetime | None = None
    told: bool = False
    """That it ends soon has been said."""


class Revoked(Struct, frozen=True, kw_only=True, tag="revoked"):
    key_id: KeyId
    user_id: UserId | None
    client_id: ClientSlug | None
    reason: KeyRevocation
    revoked_at: datetime


class Forgotten(Struct, frozen=True, tag="forgotten"):
    """Whose it was is erased. Final: nothing is known of it."""


ApiKey = Absent | Live | Revoked | Forgotten


def evolve(state: ApiKey, event: ApiKeyEvent) -> ApiKey:
    match event:
        case ApiKeyMade():
            return _made(event)
        case ApiKeyRotated():
            if not isinstance(state, Live):
                return state
            return replace(
                state,
                secret=event.secret,
                previous=state.secret,
                previous_until=event.previous_until,
                expires_at=event.expires_at,
                turned_at=event.at,
                told=False,
            )
        case ApiKeyExpiresSoon():
            return replace(state, told=True) if isinstance(state, Live) else state
        case ApiKeyRevoked():
            client_id = state.client_id if isinstance(state, Live) else None
            return Revoked(key_id=event.key_id, user_id=event.user_id, client_id=client_id, reason=event.reason, revoked_at=event.at)
        case ApiKeyErased():
            return Forgotten()
        case _:
            assert_never(event)


def _made(event: ApiKeyMade) -> Live:
    return Live(
        key_id=event.key_id,
        user_id=event.user_id,
        client_id=event.client_id,
        name=event.name,
        audience=event.audience,
        permissions=event.permissions,
        secret=event.secret,
        previous=None,
        previous_until=None,
        made_at=event.at,
        expires_at=event.expires_at,
    )


decider: Decider[ApiKey, ApiKeyEvent] = Decider("api_key", ApiKey, 3, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(key_id: KeyId) -> StreamName:
    return StreamName(f"api_key-{key_id}")


def make(
    state: ApiKey,
    *,
    key_id: KeyId,
    user_id: UserId | None,
    client_id: ClientSlug | None,
    name: Sealed,
    audience: AudienceName,
    permissions: Iterable[Permission],
    secret: KeyDigest,
    ttl: int,
    at: datetime,
) -> Sequence[ApiKeyEvent]:
    """Make a key of exactly one owner, for `ttl` seconds. Raises ValueError for none or two."""
    if (user_id is None) == (client_id is None):
        raise ValueError("a key has one owner")
    if not isinstance(state, Absent):
        return []
    return [
        ApiKeyMade(
            key_id=key_id,
            user_id=user_id,
            client_id=client_id,
            name=name,
            audience=audience,
            permissions=tuple(sorted(set(permissions))),
            secret=secret,
            expires_at=at + timedelta(seconds=ttl),
            at=at,
        )
    ]


def rotate(state: ApiKey, *, secret: KeyDigest, overlap: int, ttl: int, at: datetime) -> Sequence[ApiKeyEvent]:
    """Give it its next secret and its next end. Raises NoSuchApiKey, ApiKeyEnded."""
    now = live(state, at=at)
    if secret == now.secret:
        return []
    return [
        ApiKeyRotated(
            key_id=now.key_id,
            user_id=now.user_id,
            secret=secret,
            previous_until=min(at + timedelta(seconds=overlap), now.expires_at),
            expires_at=at + timedelta(seconds=ttl),
            at=at,
        )
    ]


def revoke(state: ApiKey, *, reason: KeyRevocation, at: datetime) -> Sequence[ApiKeyEvent]:
    match state:
        case Absent() | Forgotten():
            raise NoSuchApiKey
        case Revoked():
            return []
        case Live():
            if at >= state.expires_at:
                return []
            return [ApiKeyRevoked(key_id=state.key_id, user_id=state.user_id, reason=reason, at=at)]
        case _:
            assert_never(state)


def erase(state: ApiKey, *, owner: UserId, at: datetime) -> Sequence[ApiKeyEvent]:
    """Forget a key of one who is erased. Nothing happens to another's."""
    if isinstance(state, Absent | Forgotten) or state.user_id != owner:
        return []
    return [ApiKeyErased(key_id=state.key_id, user_id=owner, at=at)]


def tell_of_end(state: ApiKey, *, at: datetime) -> Sequence[ApiKeyEvent]:
    """Say once before each end of a key that it is near: in the last fifth of its life, and no more than 14 days ahead."""
    if not isinstance(state, Live) or state.told:
        return []
    if not ends_soon(since=state.turned_at or state.made_at, until=state.expires_at, at=at):
        return []
    return [ApiKeyExpiresSoon(key_id=state.key_id, user_id=state.user_id, expires_at=state.expires_at, at=at)]


def live(state: ApiKey, *, at: datetime) -> Live:
    """Narrow a key that opens something. Raises NoSuchApiKey, ApiKeyEnded."""
    if isinstance(state, Absent | Forgotten):
        raise NoSuchApiKey
    if not isinstance(state, Live) or at >= state.expires_at:
        raise ApiKeyEnded
    return state


def secrets(state: Live, *, at: datetime) -> tuple[KeyDigest, ...]:
    """Give what its secret may be now: the newest, and the one before while that goes on."""
    if state.previous is None or state.previous_until is None or at >= state.previous_until:
        return (state.secret,)
    return (state.secret, state.previous)
