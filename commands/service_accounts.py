"""Make service accounts, change them, stop and end them. Nobody gives a machine more than they may do themselves (threats.md 6)."""

from base64 import b32encode
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.client_secrets import ClientSecret, MadeSecret, SecretTtl, draw_secret, kept_as, shown, shown_again
from commands.context import Context
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.ports import Ports
from commands.shown_text import SHOWN
from commands.transact import Done, Read, Transaction, earlier_answer, transact
from domain import client
from domain.api_key import KeyRevocation
from domain.audience import open_to_services
from domain.client import Registered
from domain.client_events import ClientEvent, DisableReason
from domain.event import SealClass, Sealed
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, UserId
from domain.permission import PermissionText

R = TypeVar("R")
NAME_LONGEST = 255
NameText = Annotated[str, Meta(min_length=1, max_length=NAME_LONGEST, pattern=SHOWN, description="What people call it; sealed.")]
Audiences = Annotated[tuple[AudienceSlug, ...], Meta(min_length=1, max_length=32)]
Permissions = Annotated[tuple[PermissionText, ...], Meta(max_length=256)]
TokenTtl = Annotated[int, Meta(ge=30, le=3_600, description="Seconds that its access tokens live at most.")]


class CreateServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: NameText
    audiences: Audiences
    permissions: Permissions = ()
    token_ttl: TokenTtl = 300
    secret_ttl: SecretTtl | None = None

    def __repr__(self) -> str:
        return f"CreateServiceAccount(audiences={self.audiences})"


class ChangeServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    client_id: ClientSlug
    name: NameText | UnsetType = UNSET
    audiences: Audiences | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    token_ttl: TokenTtl | UnsetType = UNSET
    owner_id: UserId | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"ChangeServiceAccount(client_id={self.client_id})"


class DeleteServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug


class DisableServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug
    reason: DisableReason = DisableReason.ADMINISTRATIVE


class EnableServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug


async def create_service_account(command: CreateServiceAccount, ctx: Context, ports: Ports) -> Done[ClientSecret]:
    """Raises RightsExceeded, AudienceNotAllowed. The secret is in the answer, and for minutes where who asks again finds it."""
    if (first := await earlier_answer(ports, ctx, MadeSecret)) is not None:
        return await shown_again(first, ctx, ports)
    client_id = ClientId(f"client_{b32encode(ports.random.bytes(16)).decode('ascii').rstrip('=').lower()}")
    stream = client.stream(client_id)
    name = await _sealed_name(client_id, command.name, ports)
    drawn = await draw_secret(client_id, ctx, ports)

    def decide(tx: Transaction) -> MadeSecret:
        require_within(command.permissions, ctx, tx)
        _require_audiences(command.audiences, tx)
        kept = kept_as(drawn, ports, ttl=command.secret_ttl, at=tx.at)
        events = client.register(
            tx.state(client.decider, stream),
            client_id=client_id,
            owner_id=None if ctx.principal is None else ctx.principal.user_id,
            name=name,
            audiences=command.audiences,
            permissions=command.permissions,
            token_ttl=command.token_ttl,
            at=tx.at,
        )
        begun = tx.record(client.decider, stream, events)
        tx.record(client.decider, stream, client.add_secret(begun, secret=kept, overlap=0, at=tx.at))
        return MadeSecret(client_id=client_id, secret_id=kept.secret_id, expires_at=kept.expires_at)

    reads = [(client.decider, stream), *audience_reads(command.audiences), *caller_reads(ctx)]
    return await shown(await transact(ports, ctx, reads, decide, remember=MadeSecret), drawn, ctx, ports)


async def change_service_account(command: ChangeServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Where it may do less than before, its tokens die. Raises NoSuchServiceAccount, RightsExceeded, AudienceNotAllowed."""
    name = UNSET if command.name is UNSET else await _sealed_name(command.client_id, command.name, ports)
    wanted = () if command.audiences is UNSET else command.audiences

    def decide(now: Registered, tx: Transaction) -> Sequence[ClientEvent]:
        permissions = now.permissions if command.permissions is UNSET else command.permissions
        require_within(permissions, ctx, tx)
        _require_audiences(wanted, tx)
        return client.change(
            now,
            owner_id=now.owner_id if command.owner_id is UNSET else command.owner_id,
            name=now.name if name is UNSET else name,
            audiences=now.audiences if command.audiences is UNSET else command.audiences,
            permissions=permissions,
            token_ttl=now.token_ttl if command.token_ttl is UNSET else command.token_ttl,
            at=tx.at,
        )

    return await acting_on_client(command.client_id, ctx, ports, decide, audiences=wanted)


async def delete_service_account(command: DeleteServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Its tokens and secrets are worth nothing from now on, and its API keys are revoked.

    Raises NoSuchServiceAccount, RightsExceeded, Contended.
    """

    async def end(keys: OwnersKeys) -> Done[None]:
        def decide(now: Registered, tx: Transaction) -> Sequence[ClientEvent]:
            keys.end(tx, KeyRevocation.ACCOUNT_DELETED)
            return client.delete(now, at=tx.at)

        return await acting_on_client(command.client_id, ctx, ports, decide, besides=keys.reads)

    return await with_keys_of(command.client_id, ports, end)


async def disable_service_account(command: DisableServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Its tokens die at once; secrets and keys open nothing until it is enabled. Raises NoSuchServiceAccount, RightsExceeded."""
    return await acting_on_client(command.client_id, ctx, ports, lambda now, tx: client.disable(now, reason=command.reason, at=tx.at))


async def enable_service_account(command: EnableServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchServiceAccount, RightsExceeded."""
    return await acting_on_client(command.client_id, ctx, ports, lambda now, tx: client.enable(now, at=tx.at))


async def acting_on_client(
    client_id: ClientId,
    ctx: Context,
    ports: Ports,
    decide: Callable[[Registered, Transaction], Sequence[ClientEvent]],
    *,
    audiences: Iterable[AudienceName] = (),
    besides: Sequence[Read] = (),
) -> Done[None]:
    """Decide on a service account as it is, unless it may do what the caller may not. Raises NoSuchServiceAccount, RightsExceeded."""
    stream = client.stream(client_id)

    def held(tx: Transaction) -> None:
        now = client.registered(tx.state(client.decider, stream))
        require_within(now.permissions, ctx, tx)
        tx.record(client.decider, stream, decide(now, tx))

    return await transact(ports, ctx, [(client.decider, stream), *besides, *audience_reads(audiences), *caller_reads(ctx)], held)


def _require_audiences(names: Iterable[AudienceName], tx: Transaction) -> None:
    """Raise AudienceNotAllowed for one that is not registered, or not for services."""
    for name in names:
        open_to_services(audience_in(tx, name))


async def _sealed_name(client_id: ClientId, name: str, ports: Ports) -> Sealed:
    stream = client.stream(client_id)
    sealed = await ports.vault.seal(subject=stream, seal_class=SealClass.PROFILE, stream=stream, fields={"name": name})
    return sealed["name"]
