"""Service tokens: for what cannot ask for a token every few minutes. Each is known by its id, ends within 90 days, and can be revoked.

The key that signs one is kept for verifying as long as the token lives, whatever turns meanwhile.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from commands.audience_heads import audience_in, audience_reads
from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.machine_answer import machine_claims
from commands.machines import LONGEST_ACCESS_TOKEN
from commands.ports import AccessClaims, Ports
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import client, machine_token, signing_key
from domain.audience import Rules, for_client, scope
from domain.client import Registered
from domain.errors import AudienceNotAllowed, AudienceRequired, Contended, NoSuchServiceAccount
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, Kid, TokenId
from domain.machine_token import TokenRevocation
from domain.permission import PermissionText

LONGEST_SERVICE_TOKEN = 90 * 86_400
"""Seconds."""
LEEWAY = 60
"""Seconds that its key verifies for longer: verifiers' clocks differ."""
ATTEMPTS = 8


class IssueServiceToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without an audience, the only one the service account has."""

    client_id: ClientSlug
    ttl: Annotated[int, Meta(gt=LONGEST_ACCESS_TOKEN, le=LONGEST_SERVICE_TOKEN, description="Seconds.")]
    audience: AudienceSlug | None = None


class RevokeServiceToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token_id: TokenId
    reason: TokenRevocation = TokenRevocation.ADMINISTRATIVE


class ServiceToken(Struct, frozen=True, kw_only=True):
    """A new token. It cannot be shown again."""

    token_id: TokenId
    client_id: ClientSlug
    audience: AudienceSlug
    permissions: tuple[PermissionText, ...]
    expires_at: datetime
    token: str

    def __repr__(self) -> str:
        return f"ServiceToken(token_id={self.token_id})"


class _Moved(Exception):
    """The key, or what the service account may do, is another one than was signed with and for."""


async def issue_service_token(command: IssueServiceToken, ctx: Context, ports: Ports) -> Done[ServiceToken]:
    """Raises NoSuchServiceAccount, AudienceNotAllowed, AudienceRequired, RightsExceeded, Contended."""
    for _ in range(ATTEMPTS):
        claims, rules = await _claims(command, ports)
        token = await ports.mint.access_token(claims, rules.algorithm)
        try:
            return await _recorded(claims, token, ports.mint.kid_of(token), ctx, ports)
        except _Moved:
            continue
    raise Contended


async def revoke_service_token(command: RevokeServiceToken, ctx: Context, ports: Ports) -> Done[None]:
    """It is worth nothing from now on. Raises NoSuchToken."""
    stream = machine_token.stream(command.token_id)

    def decide(tx: Transaction) -> None:
        require_within((), ctx, tx)
        state = tx.state(machine_token.decider, stream)
        tx.record(machine_token.decider, stream, machine_token.revoke_issued(state, reason=command.reason, at=tx.at))

    return await transact(ports, ctx, [(machine_token.decider, stream), *caller_reads(ctx)], decide)


async def tell_of_end(token_id: TokenId, ctx: Context, ports: Ports) -> bool:
    """Say that a service token ends soon. False where it is too early, or has been said. Safe to repeat."""
    read: Read = (machine_token.decider, machine_token.stream(token_id))

    def decide(tx: Transaction) -> None:
        tx.record(*read, machine_token.tell_of_end(tx.state(*read), at=tx.at))

    return (await transact(ports, ctx, [read], decide)).appended


async def _claims(command: IssueServiceToken, ports: Ports) -> tuple[AccessClaims, Rules]:
    of_client: Read = (client.decider, client.stream(command.client_id))
    known = _enabled((await read_states(ports, [of_client])).state(client.decider, of_client[1]))
    audience = command.audience or (known.audiences[0] if len(known.audiences) == 1 else None)
    if audience is None:
        raise AudienceRequired
    if audience not in known.audiences:
        raise AudienceNotAllowed
    tx = await read_states(ports, [of_client, *audience_reads([audience])])
    account = _enabled(tx.state(client.decider, of_client[1]))
    rules = for_client(audience_in(tx, audience), account.client_id)
    permissions = scope(rules, account.permissions)
    claims = machine_claims(account, ports, audience=audience, permissions=permissions, ttl=command.ttl, at=tx.at)
    return replace(claims, jti=str(ports.random.uuid7())), rules


async def _recorded(claims: AccessClaims, token: str, kid: Kid, ctx: Context, ports: Ports) -> Done[ServiceToken]:
    """Append that the token was issued, on the very state it was made of; its key then verifies until it has ended."""
    token_id, client_id = TokenId(UUID(claims.jti)), ClientId(claims.sub)
    audience, expires_at = AudienceName(claims.aud), datetime.fromtimestamp(claims.exp, UTC)
    of_client, of_token, of_key = client.stream(client_id), machine_token.stream(token_id), signing_key.stream(kid)

    def decide(tx: Transaction) -> ServiceToken:
        account = _enabled(tx.state(client.decider, of_client))
        permissions = scope(for_client(audience_in(tx, audience), client_id), account.permissions)
        if account.epoch != claims.epoch or " ".join(permissions) != claims.scope:
            raise _Moved
        require_within(permissions, ctx, tx)
        until = expires_at + timedelta(seconds=LEEWAY)
        state = tx.state(signing_key.decider, of_key)
        if not isinstance(state, signing_key.Active):
            raise _Moved
        tx.record(signing_key.decider, of_key, signing_key.pledge(state, until=until, at=tx.at))
        events = machine_token.issue(
            tx.state(machine_token.decider, of_token),
            token_id=token_id,
            client_id=client_id,
            audience=audience,
            permissions=permissions,
            kid=kid,
            expires_at=expires_at,
            at=tx.at,
        )
        tx.record(machine_token.decider, of_token, events)
        return ServiceToken(
            token_id=token_id, client_id=client_id, audience=audience, permissions=permissions, expires_at=expires_at, token=token
        )

    reads: list[Read] = [
        (client.decider, of_client), (machine_token.decider, of_token), (signing_key.decider, of_key), *audience_reads([audience]),
    ]  # fmt: skip
    return await transact(ports, ctx, [*reads, *caller_reads(ctx)], decide)


def _enabled(state: client.Client) -> Registered:
    account = client.registered(state)
    if not account.enabled:
        raise NoSuchServiceAccount
    return account
