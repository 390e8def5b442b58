"""API keys as they are now, from their heads."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from commands.ports import Ports
from commands.read_profile import opened
from commands.transact import read_states
from domain import api_key, key_owner
from domain.ids import AudienceSlug, ClientSlug, KeyId, UserId
from domain.permission import PermissionText

SOON = timedelta(days=14)


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """A live key, without its secret."""

    key_id: KeyId
    name: str | None
    user_id: UserId | None
    client_id: ClientSlug | None
    audience: AudienceSlug
    permissions: tuple[PermissionText, ...]
    """As they were given; at each use what the owner may still do of it counts."""
    made_at: datetime
    expires_at: datetime
    expires_soon: bool
    """Within 14 days."""
    last_used_at: datetime | None

    def __repr__(self) -> str:
        return f"ApiKeyView(key_id={self.key_id})"


async def read_api_keys(ids: Sequence[KeyId], ports: Ports) -> list[ApiKeyView]:
    """Give those that are live, in the order asked for."""
    if not ids:
        return []
    streams = [api_key.stream(key_id) for key_id in ids]
    tx = await read_states(ports, [(api_key.decider, stream) for stream in streams])
    used = await ports.last_used.of(streams)
    found = [tx.state(api_key.decider, stream) for stream in streams]
    live = [state for state in found if isinstance(state, api_key.Live) and tx.at < state.expires_at]
    return [await _view(state, ports, used.get(api_key.stream(state.key_id)), tx.at) for state in live]


async def read_keys_of(owner: UserId, ports: Ports) -> list[ApiKeyView]:
    """Give a person's live keys, newest first."""
    stream = key_owner.stream(owner)
    state = (await read_states(ports, [(key_owner.decider, stream)])).state(key_owner.decider, stream)
    return await read_api_keys(sorted((entry.key_id for entry in state.keys), reverse=True), ports)


async def _view(state: api_key.Live, ports: Ports, used: datetime | None, at: datetime) -> ApiKeyView:
    return ApiKeyView(
        key_id=state.key_id,
        name=await opened(state.name, api_key.stream(state.key_id), "name", ports.vault),
        user_id=state.user_id,
        client_id=state.client_id,
        audience=state.audience,
        permissions=state.permissions,
        made_at=state.made_at,
        expires_at=state.expires_at,
        expires_soon=state.expires_at - at < SOON,
        last_used_at=used,
    )
