"""Make a service account, and end one. Nobody gives a machine more than they may do themselves (threats.md 6)."""

from base64 import b32encode
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from commands.audiences import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.client_secrets import ClientSecret, new_secret
from commands.context import Context
from commands.ports import Ports
from commands.transact import Done, Transaction, transact
from domain import client
from domain.audience import open_to_services
from domain.client_events import DisableReason
from domain.event import SealClass, Sealed
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug
from domain.permission import PermissionText

NAME_LONGEST = 255
NameText = Annotated[str, Meta(min_length=1, max_length=NAME_LONGEST, description="What people call it; sealed.")]
Audiences = Annotated[tuple[AudienceSlug, ...], Meta(min_length=1, max_length=32)]
Permissions = Annotated[tuple[PermissionText, ...], Meta(max_length=256)]
TokenTtl = Annotated[int, Meta(ge=30, le=3_600, description="Seconds that its access tokens live at most.")]


class CreateServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: NameText
    audiences: Audiences
    permissions: Permissions = ()
    token_ttl: TokenTtl = 300
    secret_ttl: Annotated[int, Meta(ge=3_600, le=731 * 86_400, description="Seconds that the first secret lives.")] | None = None

    def __repr__(self) -> str:
        return f"CreateServiceAccount(audiences={self.audiences})"


class DeleteServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug


class DisableServiceAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug
    reason: DisableReason = DisableReason.ADMINISTRATIVE


async def create_service_account(command: CreateServiceAccount, ctx: Context, ports: Ports) -> Done[ClientSecret]:
    """Raises RightsExceeded, AudienceNotAllowed. The secret is in the answer and nowhere else."""
    client_id = ClientId(f"client_{b32encode(ports.random.bytes(16)).decode('ascii').rstrip('=').lower()}")
    stream = client.stream(client_id)
    name = await sealed_name(client_id, command.name, ports)

    def decide(tx: Transaction) -> ClientSecret:
        require_within(command.permissions, ctx, tx)
        require_audiences(command.audiences, tx)
        secret, kept = new_secret(client_id, ports, ttl=command.secret_ttl, at=tx.at)
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
        return secret

    reads = [(client.decider, stream), *audience_reads(command.audiences), *caller_reads(ctx)]
    return await transact(ports, ctx, reads, decide)


async def delete_service_account(command: DeleteServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Its tokens, secrets and keys are worth nothing from now on. Raises NoSuchServiceAccount, RightsExceeded."""
    stream = client.stream(command.client_id)

    def decide(tx: Transaction) -> None:
        state = tx.state(client.decider, stream)
        require_within(client.holds(state), ctx, tx)
        tx.record(client.decider, stream, client.delete(state, at=tx.at))

    return await transact(ports, ctx, [(client.decider, stream), *caller_reads(ctx)], decide)


async def disable_service_account(command: DisableServiceAccount, ctx: Context, ports: Ports) -> Done[None]:
    """Its tokens die at once; secrets and keys open nothing until it is enabled. Raises NoSuchServiceAccount, RightsExceeded."""
    stream = client.stream(command.client_id)

    def decide(tx: Transaction) -> None:
        state = tx.state(client.decider, stream)
        require_within(client.holds(state), ctx, tx)
        tx.record(client.decider, stream, client.disable(state, reason=command.reason, at=tx.at))

    return await transact(ports, ctx, [(client.decider, stream), *caller_reads(ctx)], decide)


def require_audiences(names: Iterable[AudienceName], tx: Transaction) -> None:
    """Raise AudienceNotAllowed for one that is not registered, or not for services."""
    for name in names:
        open_to_services(audience_in(tx, name))


async def sealed_name(client_id: ClientId, name: str, ports: Ports) -> Sealed:
    stream = client.stream(client_id)
    sealed = await ports.vault.seal(subject=stream, seal_class=SealClass.PROFILE, stream=stream, fields={"name": name})
    return sealed["name"]
