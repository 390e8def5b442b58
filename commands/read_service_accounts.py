"""Service accounts as they are now, from their heads: what they may do, and what they prove themselves with."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from commands.ports import Ports
from commands.read_profile import opened
from commands.transact import read_states
from domain import client
from domain.client import Registered
from domain.errors import NoSuchServiceAccount
from domain.ids import AudienceSlug, ClientId, ClientSlug, KidText, SecretId, UserId
from domain.permission import PermissionText
from domain.signing_key import Algorithm


class SecretView(Struct, frozen=True, kw_only=True):
    """A live secret, without the secret."""

    secret_id: SecretId
    made_at: datetime
    expires_at: datetime | None


class KeyView(Struct, frozen=True, kw_only=True):
    kid: KidText
    algorithm: Algorithm


class ServiceAccountView(Struct, frozen=True, kw_only=True):
    client_id: ClientSlug
    name: str | None
    """Null once it was erased."""
    owner_id: UserId | None
    audiences: tuple[AudienceSlug, ...]
    permissions: tuple[PermissionText, ...]
    token_ttl: int
    enabled: bool
    secrets: tuple[SecretView, ...]
    keys: tuple[KeyView, ...]
    registered_at: datetime
    last_used_at: datetime | None
    """To the minute or so; null where it was not used for a year."""

    def __repr__(self) -> str:
        return f"ServiceAccountView(client_id={self.client_id})"


async def read_service_accounts(ids: Sequence[ClientId], ports: Ports) -> list[ServiceAccountView]:
    """Give those that are there, in the order asked for."""
    if not ids:
        return []
    streams = [client.stream(client_id) for client_id in ids]
    tx = await read_states(ports, [(client.decider, stream) for stream in streams])
    used = await ports.last_used.of(streams)
    states = [tx.state(client.decider, stream) for stream in streams]
    return [await _view(state, ports, used.get(client.stream(state.client_id)), tx.at) for state in states if isinstance(state, Registered)]


async def read_service_account(client_id: ClientId, ports: Ports) -> ServiceAccountView:
    """Raises NoSuchServiceAccount."""
    found = await read_service_accounts([client_id], ports)
    if not found:
        raise NoSuchServiceAccount
    return found[0]


async def _view(state: Registered, ports: Ports, used: datetime | None, at: datetime) -> ServiceAccountView:
    live = [s for s in state.secrets if s.expires_at is None or at < s.expires_at]
    return ServiceAccountView(
        client_id=state.client_id,
        name=await opened(state.name, client.stream(state.client_id), "name", ports.vault),
        owner_id=state.owner_id,
        audiences=state.audiences,
        permissions=state.permissions,
        token_ttl=state.token_ttl,
        enabled=state.enabled,
        secrets=tuple(SecretView(secret_id=s.secret_id, made_at=s.made_at, expires_at=s.expires_at) for s in live),
        keys=tuple(KeyView(kid=key.kid, algorithm=key.algorithm) for key in state.keys),
        registered_at=state.registered_at,
        last_used_at=used,
    )
