"""Make API keys. A key gives no more than its maker may do when it is made, and no more than its owner at each use."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.api_key_text import kept
from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.found_keys import of_one, of_service, owner_stream, service_reads
from commands.new_key import MadeKey, NewApiKey, Ttl, draw_key, life, list_key, shown, shown_again
from commands.ports import Ports
from commands.shown_text import SHOWN
from commands.transact import Done, Read, Transaction, earlier_answer, transact
from domain import api_key, client, key_owner, user
from domain.audience import Audience, for_client, for_user, in_catalogue
from domain.errors import InvalidToken, RightsExceeded
from domain.event import SealClass, Sealed
from domain.ids import AudienceSlug, ClientId, ClientSlug, KeyId, StreamName, UserId
from domain.permission import PermissionText, within
from domain.session import MINOS

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=SHOWN, description="What people call it; sealed.")]
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
    if (first := await earlier_answer(ports, ctx, MadeKey)) is not None:
        return await shown_again(first, ctx, ports)
    key_id = KeyId(ports.random.uuid7())
    drawn = await draw_key(key_id, ctx, ports)
    stream, of_owner = api_key.stream(key_id), owner_stream(owner, service)
    subject = user.stream(owner) if owner is not None else client.stream(of_one(service))
    name = await _sealed_name(command.name, subject, stream, ports)
    ttl = life(command.expires_in, ports)

    def decide(tx: Transaction) -> MadeKey:
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
            secret=kept(key_id, drawn.text, ports),
            ttl=ttl,
            at=tx.at,
        )
        made = api_key.live(tx.record(api_key.decider, stream, events), at=tx.at)
        list_key(tx, of_owner, made)
        return MadeKey(key_id=key_id, answer_id=drawn.answer_id, expires_at=made.expires_at)

    reads: list[Read] = [(api_key.decider, stream), (key_owner.decider, of_owner), *audience_reads([command.audience])]
    done = await transact(ports, ctx, [*reads, *service_reads(service), *caller_reads(ctx)], decide, remember=MadeKey)
    return await shown(done, drawn, ctx, ports)


def _require_of_audience(asked: Audience, command: MakeApiKey, ctx: Context, service: ClientId | None) -> None:
    """Raise AudienceNotAllowed for an owner who may not ask for it, RightsExceeded for what is not in its catalogue."""
    roles = () if ctx.principal is None else ctx.principal.roles
    rules = for_user(asked, roles) if service is None else for_client(asked, service)
    if not within(command.permissions, in_catalogue(command.audience, rules, command.permissions)):
        raise RightsExceeded


def _require_of_service(account: client.Registered, command: MakeApiKey) -> None:
    if command.audience not in account.audiences or not within(command.permissions, account.permissions):
        raise RightsExceeded


async def _sealed_name(name: str, subject: StreamName, stream: StreamName, ports: Ports) -> Sealed:
    """Under the owner's key: it goes with them when they are erased."""
    return (await ports.vault.seal(subject=subject, seal_class=SealClass.PROFILE, stream=stream, fields={"name": name}))["name"]
