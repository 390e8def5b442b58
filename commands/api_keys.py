"""Make and turn API keys. A key gives no more than its maker may do when it is made, and no more than its owner at each use."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from commands.api_key_text import kept, new_key_text
from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.found_keys import found_key, of_one, of_service, owned_key, owner_stream, service_reads
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, transact
from domain import api_key, client, key_owner, user
from domain.audience import Audience, for_client, for_user, in_catalogue
from domain.errors import InvalidToken, KeyLifeTooLong, NoSuchApiKey, RightsExceeded
from domain.event import SealClass, Sealed
from domain.ids import AudienceSlug, ClientId, ClientSlug, KeyId, StreamName, UserId
from domain.permission import PermissionText, within
from domain.secret_text import SECRET_BYTES
from domain.session import MINOS

Name = Annotated[str, Meta(min_length=1, max_length=255, description="What people call it; sealed.")]
Ttl = Annotated[int, Meta(ge=60, le=3_660 * 86_400, description="Seconds until it ends; by default as the settings say.")]
Overlap = Annotated[int, Meta(ge=0, le=30 * 86_400, description="Seconds that the secret before goes on.")]
Permissions = Annotated[tuple[PermissionText, ...], Meta(max_length=256)]


class MakeApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    permissions: Permissions = ()
    audience: AudienceSlug = MINOS
    expires_in: Ttl | None = None

    def __repr__(self) -> str:
        return f"MakeApiKey(audience={self.audience})"


class MakeServiceKey(MakeApiKey, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug

    def __repr__(self) -> str:
        return f"MakeServiceKey(client_id={self.client_id})"


class RotateApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: KeyId
    overlap: Overlap = 86_400
    expires_in: Ttl | None = None


class NewApiKey(Struct, frozen=True, kw_only=True):
    """A new key. It cannot be shown again."""

    key_id: KeyId
    api_key: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewApiKey(key_id={self.key_id})"


async def make_own_key(command: MakeApiKey, ctx: Context, ports: Ports) -> Done[NewApiKey]:
    """A person's own key, within what they may do now. Raises RightsExceeded, AudienceNotAllowed, KeyLifeTooLong, TooManyKeys."""
    if ctx.principal is None:
        raise InvalidToken
    return await _make(command, ctx, ports, owner=ctx.principal.user_id)


async def make_service_key(command: MakeServiceKey, ctx: Context, ports: Ports) -> Done[NewApiKey]:
    """A service account's key, within what it may do now, by a maker who may do all that it may.

    Raises NoSuchServiceAccount, and what `make_own_key` raises.
    """
    return await _make(command, ctx, ports, service=command.client_id)


async def _make(
    command: MakeApiKey, ctx: Context, ports: Ports, *, owner: UserId | None = None, service: ClientId | None = None
) -> Done[NewApiKey]:
    key_id = KeyId(ports.random.uuid7())
    text = new_key_text(key_id, ports.random.bytes(SECRET_BYTES), ports)
    stream, of_owner = api_key.stream(key_id), owner_stream(owner, service)
    subject = user.stream(owner) if owner is not None else client.stream(of_one(service))
    name = await _sealed_name(command.name, subject, stream, ports)
    ttl = _life(command.expires_in, ports)

    def decide(tx: Transaction) -> NewApiKey:
        require_within(command.permissions, ctx, tx)
        _require_of_audience(audience_in(tx, command.audience), command, ctx, service)
        if service is not None:
            require_within(of_service(tx, service), ctx, tx)
            _require_of_service(client.registered(tx.state(client.decider, client.stream(service))), command)
        events = api_key.make(
            tx.state(api_key.decider, stream),
            key_id=key_id,
            user_id=owner,
            client_id=service,
            name=name,
            audience=command.audience,
            permissions=command.permissions,
            secret=kept(key_id, text, ports),
            ttl=ttl,
            at=tx.at,
        )
        made = api_key.live(tx.record(api_key.decider, stream, events), at=tx.at)
        _list(tx, of_owner, made)
        return NewApiKey(key_id=key_id, api_key=text, expires_at=made.expires_at)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *audience_reads([command.audience])]
    return await transact(ports, ctx, [*reads, *service_reads(service), *caller_reads(ctx)], decide)


def _require_of_audience(asked: Audience, command: MakeApiKey, ctx: Context, service: ClientId | None) -> None:
    """Raise AudienceNotAllowed for an owner who may not ask for it, RightsExceeded for what is not in its catalogue."""
    roles = () if ctx.principal is None else ctx.principal.roles
    rules = for_user(asked, roles) if service is None else for_client(asked, service)
    if not within(command.permissions, in_catalogue(command.audience, rules, command.permissions)):
        raise RightsExceeded


async def rotate_api_key(command: RotateApiKey, ctx: Context, ports: Ports, *, owner: UserId | None = None) -> Done[NewApiKey]:
    """Give a key its next secret. With `owner`, only a key of theirs is found; without, only a service account's.

    Raises NoSuchApiKey, ApiKeyEnded, RightsExceeded, KeyLifeTooLong.
    """
    stream = api_key.stream(command.key_id)
    now = await found_key(command.key_id, ports)
    if owner is None and now.client_id is None:
        raise NoSuchApiKey  # a person's key is shown to nobody but them
    text = new_key_text(command.key_id, ports.random.bytes(SECRET_BYTES), ports)
    of_owner, ttl = owner_stream(now.user_id, now.client_id), _life(command.expires_in, ports)

    def decide(tx: Transaction) -> NewApiKey:
        state = owned_key(tx.state(api_key.decider, stream), owner)
        current = api_key.live(state, at=tx.at)
        require_within((*current.permissions, *of_service(tx, now.client_id)), ctx, tx)
        events = api_key.rotate(current, secret=kept(command.key_id, text, ports), overlap=command.overlap, ttl=ttl, at=tx.at)
        turned = api_key.live(tx.record(api_key.decider, stream, events), at=tx.at)
        _list(tx, of_owner, turned)
        return NewApiKey(key_id=command.key_id, api_key=text, expires_at=turned.expires_at)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *service_reads(now.client_id)]
    return await transact(ports, ctx, [*reads, *caller_reads(ctx)], decide)


def _list(tx: Transaction, of_owner: StreamName, key: api_key.Live) -> None:
    state = tx.state(key_owner.decider, of_owner)
    tx.record(key_owner.decider, of_owner, key_owner.add(state, key_id=key.key_id, expires_at=key.expires_at, at=tx.at))


def _require_of_service(account: client.Registered, command: MakeApiKey) -> None:
    if command.audience not in account.audiences or not within(command.permissions, account.permissions):
        raise RightsExceeded


def _life(wanted: int | None, ports: Ports) -> int:
    """Give a key's life in seconds. Raises KeyLifeTooLong: nothing is for ever."""
    ttl = min(ports.policy.api_key_ttl, ports.policy.api_key_max_ttl) if wanted is None else wanted
    if ttl > ports.policy.api_key_max_ttl:
        raise KeyLifeTooLong
    return ttl


async def _sealed_name(name: str, subject: StreamName, stream: StreamName, ports: Ports) -> Sealed:
    """Under the owner's key: it goes with them when they are erased."""
    return (await ports.vault.seal(subject=subject, seal_class=SealClass.PROFILE, stream=stream, fields={"name": name}))["name"]
