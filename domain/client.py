"""A service account: a machine's own identity, with the audiences it may ask for and the permissions it has there.

Stages: Absent -> Registered -> Deleted. `epoch` rises whenever every token given before must die.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.client_events import (
    ClientChanged,
    ClientDeleted,
    ClientDisabled,
    ClientEnabled,
    ClientEvent,
    ClientKey,
    ClientKeyAdded,
    ClientKeyRemoved,
    ClientRegistered,
    ClientSecretAdded,
    ClientSecretRemoved,
    ClientTokensRevoked,
    DisableReason,
    SecretDigest,
)
from domain.decider import Decider
from domain.errors import NoSuchServiceAccount, TooManyKeys
from domain.event import Sealed
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, Kid, SecretId, StreamName, UserId
from domain.permission import Permission, PermissionText, within

MOST_KEYS = 4
"""Public keys of one service account: one in use, one to come, and some room."""


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Registered(Struct, frozen=True, kw_only=True, tag="registered"):
    client_id: ClientSlug
    owner_id: UserId | None
    name: Sealed
    audiences: tuple[AudienceSlug, ...]
    permissions: tuple[PermissionText, ...]
    token_ttl: int
    secrets: tuple[SecretDigest, ...]
    """Newest first, two at most; some may have expired."""
    keys: tuple[ClientKey, ...]
    epoch: int
    enabled: bool
    registered_at: datetime


class Deleted(Struct, frozen=True, kw_only=True, tag="deleted"):
    """Final: its id is not used again."""

    client_id: ClientSlug


Client = Absent | Registered | Deleted


def evolve(state: Client, event: ClientEvent) -> Client:
    match event:
        case ClientRegistered():
            return _begun(event)
        case ClientDeleted():
            return Deleted(client_id=event.client_id)
        case _:
            return _changed(state, event) if isinstance(state, Registered) else state


def _begun(event: ClientRegistered) -> Registered:
    return Registered(
        client_id=event.client_id,
        owner_id=event.owner_id,
        name=event.name,
        audiences=event.audiences,
        permissions=event.permissions,
        token_ttl=event.token_ttl,
        secrets=(),
        keys=(),
        epoch=1,
        enabled=True,
        registered_at=event.at,
    )


def _changed(
    state: Registered,
    event: ClientChanged | ClientSecretAdded | ClientSecretRemoved | ClientKeyAdded | ClientKeyRemoved
    | ClientTokensRevoked | ClientDisabled | ClientEnabled,
) -> Registered:  # fmt: skip
    match event:
        case ClientChanged():
            return replace(
                state,
                owner_id=event.owner_id,
                name=event.name,
                audiences=event.audiences,
                permissions=event.permissions,
                token_ttl=event.token_ttl,
                epoch=event.epoch,
            )
        case ClientSecretAdded():
            return replace(state, secrets=(event.secret, *(_ending(old, event.previous_until) for old in _live(state, event.at)[:1])))
        case ClientSecretRemoved():
            return replace(state, secrets=tuple(s for s in state.secrets if s.secret_id != event.secret_id))
        case ClientKeyAdded():
            return replace(state, keys=(*state.keys, event.key))
        case ClientKeyRemoved():
            return replace(state, keys=tuple(k for k in state.keys if k.kid != event.kid))
        case ClientTokensRevoked():
            return replace(state, epoch=event.epoch)
        case ClientDisabled():
            return replace(state, enabled=False, epoch=event.epoch)
        case ClientEnabled():
            return replace(state, enabled=True)
        case _:
            assert_never(event)


def _ending(secret: SecretDigest, until: datetime) -> SecretDigest:
    return replace(secret, expires_at=until if secret.expires_at is None else min(until, secret.expires_at))


def _live(state: Registered, at: datetime) -> tuple[SecretDigest, ...]:
    return tuple(s for s in state.secrets if s.expires_at is None or at < s.expires_at)


decider: Decider[Client, ClientEvent] = Decider("client", Client, 1, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(client_id: ClientId) -> StreamName:
    return StreamName(f"client-{client_id}")


def registered(state: Client) -> Registered:
    """Narrow a service account that has to be there. Raises NoSuchServiceAccount."""
    if not isinstance(state, Registered):
        raise NoSuchServiceAccount
    return state


def register(
    state: Client,
    *,
    client_id: ClientId,
    owner_id: UserId | None,
    name: Sealed,
    audiences: Iterable[AudienceName],
    permissions: Iterable[Permission],
    token_ttl: int,
    at: datetime,
) -> Sequence[ClientEvent]:
    if not isinstance(state, Absent):
        return []
    return [
        ClientRegistered(
            client_id=client_id,
            owner_id=owner_id,
            name=name,
            audiences=tuple(sorted(set(audiences))),
            permissions=tuple(sorted(set(permissions))),
            token_ttl=token_ttl,
            at=at,
        )
    ]


def change(
    state: Client,
    *,
    owner_id: UserId | None,
    name: Sealed,
    audiences: Iterable[AudienceName],
    permissions: Iterable[Permission],
    token_ttl: int,
    at: datetime,
) -> Sequence[ClientEvent]:
    """Change all of it at once. Where it may do less than before, its tokens die. Raises NoSuchServiceAccount."""
    now = registered(state)
    wanted = replace(
        now,
        owner_id=owner_id,
        name=name,
        audiences=tuple(sorted(set(audiences))),
        permissions=tuple(sorted(set(permissions))),
        token_ttl=token_ttl,
    )
    if wanted == now:
        return []
    narrower = not set(now.audiences) <= set(wanted.audiences) or not within(now.permissions, wanted.permissions)
    return [
        ClientChanged(
            client_id=now.client_id,
            owner_id=wanted.owner_id,
            name=wanted.name,
            audiences=wanted.audiences,
            permissions=wanted.permissions,
            token_ttl=wanted.token_ttl,
            epoch=now.epoch + narrower,
            at=at,
        )
    ]


def add_secret(state: Client, *, secret: SecretDigest, overlap: int, at: datetime) -> Sequence[ClientEvent]:
    """Add a secret; the newest one before it lives `overlap` seconds more, any other ends now. Raises NoSuchServiceAccount."""
    now = registered(state)
    if any(s.secret_id == secret.secret_id for s in now.secrets):
        return []
    return [ClientSecretAdded(client_id=now.client_id, secret=secret, previous_until=at + timedelta(seconds=overlap), at=at)]


def remove_secret(state: Client, *, secret_id: SecretId, at: datetime) -> Sequence[ClientEvent]:
    """End a secret at once, with the tokens that were got by any. Raises NoSuchServiceAccount."""
    now = registered(state)
    if all(s.secret_id != secret_id for s in now.secrets):
        return []
    return [
        ClientSecretRemoved(client_id=now.client_id, secret_id=secret_id, at=at),
        ClientTokensRevoked(client_id=now.client_id, epoch=now.epoch + 1, at=at),
    ]


def add_key(state: Client, *, key: ClientKey, at: datetime) -> Sequence[ClientEvent]:
    """Raises NoSuchServiceAccount, TooManyKeys."""
    now = registered(state)
    if any(k.kid == key.kid for k in now.keys):
        return []
    if len(now.keys) >= MOST_KEYS:
        raise TooManyKeys
    return [ClientKeyAdded(client_id=now.client_id, key=key, at=at)]


def remove_key(state: Client, *, kid: Kid, at: datetime) -> Sequence[ClientEvent]:
    """Withdraw a public key at once, with the tokens that were got by any. Raises NoSuchServiceAccount."""
    now = registered(state)
    if all(k.kid != kid for k in now.keys):
        return []
    return [
        ClientKeyRemoved(client_id=now.client_id, kid=kid, at=at),
        ClientTokensRevoked(client_id=now.client_id, epoch=now.epoch + 1, at=at),
    ]


def revoke_tokens(state: Client, *, at: datetime) -> Sequence[ClientEvent]:
    now = registered(state)
    return [ClientTokensRevoked(client_id=now.client_id, epoch=now.epoch + 1, at=at)]


def disable(state: Client, *, reason: DisableReason, at: datetime) -> Sequence[ClientEvent]:
    now = registered(state)
    return [ClientDisabled(client_id=now.client_id, reason=reason, epoch=now.epoch + 1, at=at)] if now.enabled else []


def enable(state: Client, *, at: datetime) -> Sequence[ClientEvent]:
    """Tokens from before stay dead. Raises NoSuchServiceAccount."""
    now = registered(state)
    return [] if now.enabled else [ClientEnabled(client_id=now.client_id, at=at)]


def delete(state: Client, *, at: datetime) -> Sequence[ClientEvent]:
    match state:
        case Absent():
            raise NoSuchServiceAccount
        case Deleted():
            return []
        case Registered():
            return [ClientDeleted(client_id=state.client_id, at=at)]
        case _:
            assert_never(state)


def holds(state: Client) -> tuple[Permission, ...]:
    """Give what it may do, whatever its standing: nobody acts on one that may do more than they."""
    return state.permissions if isinstance(state, Registered) else ()


def live_secrets(state: Registered, *, at: datetime) -> tuple[SecretDigest, ...]:
    """Give the secrets that open anything now. Of one that is disabled: none."""
    return _live(state, at) if state.enabled else ()
