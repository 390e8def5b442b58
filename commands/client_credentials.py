"""Turn what a service account proves itself with: secrets, and the public keys of its assertions; or let all its tokens die."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.authority import caller_reads, require_within
from commands.client_secrets import ClientSecret, MadeSecret, SecretTtl, draw_secret, kept_as, shown, shown_again
from commands.context import Context
from commands.ports import Ports
from commands.service_accounts import acting_on_client
from commands.transact import Done, Transaction, earlier_answer, transact
from domain import client
from domain.client_events import ClientKey
from domain.ids import ClientId, ClientSlug, KidText, SecretId
from domain.signing_key import Algorithm, PublicJwk


class RotateClientSecret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secret before goes on for `overlap` seconds, so that a deploy breaks no caller."""

    client_id: ClientSlug
    overlap: Annotated[int, Meta(ge=0, le=30 * 86_400, description="Seconds that the secret before goes on.")] = 86_400
    secret_ttl: SecretTtl | None = None


class RemoveClientSecret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug
    secret_id: SecretId


class AddClientKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug
    algorithm: Algorithm
    public: PublicJwk


class RemoveClientKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    client_id: ClientSlug
    kid: KidText


class AddedKey(Struct, frozen=True, kw_only=True):
    kid: KidText


async def rotate_client_secret(command: RotateClientSecret, ctx: Context, ports: Ports) -> Done[ClientSecret]:
    """Raises NoSuchServiceAccount, RightsExceeded. The secret is in the answer, and for minutes where who asks again finds it."""
    if (first := await earlier_answer(ports, ctx, MadeSecret)) is not None:
        return await shown_again(first, ctx, ports)
    stream = client.stream(command.client_id)
    drawn = await draw_secret(command.client_id, ctx, ports)

    def decide(tx: Transaction) -> MadeSecret:
        now = client.registered(tx.state(client.decider, stream))
        require_within(now.permissions, ctx, tx)
        kept = kept_as(drawn, ports, ttl=command.secret_ttl, at=tx.at)
        tx.record(client.decider, stream, client.add_secret(now, secret=kept, overlap=command.overlap, at=tx.at))
        return MadeSecret(client_id=command.client_id, secret_id=kept.secret_id, expires_at=kept.expires_at)

    reads = [(client.decider, stream), *caller_reads(ctx)]
    return await shown(await transact(ports, ctx, reads, decide, remember=MadeSecret), drawn, ctx, ports)


async def remove_client_secret(command: RemoveClientSecret, ctx: Context, ports: Ports) -> Done[None]:
    """It opens nothing from now on, and what was got by any dies. Raises NoSuchServiceAccount, RightsExceeded."""
    return await acting_on_client(
        command.client_id, ctx, ports, lambda now, tx: client.remove_secret(now, secret_id=command.secret_id, at=tx.at)
    )


async def add_client_key(command: AddClientKey, ctx: Context, ports: Ports) -> Done[AddedKey]:
    """Raises UnusableKey, TooManyKeys, NoSuchServiceAccount, RightsExceeded."""
    key = ClientKey(kid=ports.assertions.kid_of(command.algorithm, command.public), algorithm=command.algorithm, public=command.public)
    done = await acting_on_client(command.client_id, ctx, ports, lambda now, tx: client.add_key(now, key=key, at=tx.at))
    return Done(result=AddedKey(kid=key.kid), versions=done.versions, at=done.at, appended=done.appended)


async def remove_client_key(command: RemoveClientKey, ctx: Context, ports: Ports) -> Done[None]:
    """It proves nothing from now on, and what was got by any dies. Raises NoSuchServiceAccount, RightsExceeded."""
    return await acting_on_client(command.client_id, ctx, ports, lambda now, tx: client.remove_key(now, kid=command.kid, at=tx.at))


async def revoke_client_tokens(client_id: ClientId, ctx: Context, ports: Ports) -> Done[None]:
    """Every token given before dies; secrets and keys go on. Raises NoSuchServiceAccount, RightsExceeded."""
    return await acting_on_client(client_id, ctx, ports, lambda now, tx: client.revoke_tokens(now, at=tx.at))
