"""From a machine's token to the service account that calls, on the truth of the heads; and what it may do, looked at again."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from commands.audience_heads import audience_in, audience_reads
from commands.context import Machine
from commands.key_holders import key_reads, key_rights
from commands.ports import AccessClaims, Ports
from commands.transact import Read, Transaction, read_states
from domain import client, machine_token, signing_key
from domain.audience import PrincipalKind, for_client
from domain.client import Registered
from domain.errors import AudienceNotAllowed, InvalidToken
from domain.ids import AudienceName, ClientId, Kid, TokenId
from domain.permission import Permission, shared

LONGEST_ACCESS_TOKEN = 3_600
"""Seconds. What lives longer is a service token, and has to have been issued as one."""


async def identify_machine(claims: AccessClaims, ports: Ports) -> Machine:
    """Find the service account of a verified token live, with what it may do now. Raises InvalidToken."""
    tx = await read_states(ports, claimed_reads(claims))
    machine = require_claimed(claims, tx)
    ports.last_used.note(client.stream(_of_token(machine)[0]), at=tx.at)
    return machine


def claimed_reads(claims: AccessClaims) -> list[Read]:
    """What `require_claimed` needs to be read. Raises InvalidToken for what is no service account's token."""
    return [*machine_reads(claimed(claims)), (signing_key.decider, signing_key.stream(Kid(claims.kid)))]


def require_claimed(claims: AccessClaims, tx: Transaction) -> Machine:
    """Give the service account of a token, both live, with what it may do now. Raises InvalidToken."""
    machine = claimed(claims)
    if not signing_key.verifies(tx.state(signing_key.decider, signing_key.stream(Kid(claims.kid))), at=tx.at):
        raise InvalidToken
    return replace(machine, permissions=shared(machine.permissions, _require_account(machine, tx).permissions))


def machine_reads(machine: Machine) -> list[Read]:
    """What `machine_rights` needs to be read: the service account and this very token, or the key and its owner."""
    if machine.key_id is not None:
        return key_reads(machine)
    client_id, token_id = _of_token(machine)
    of_token: list[Read] = [(client.decider, client.stream(client_id)), (machine_token.decider, machine_token.stream(token_id))]
    return [*of_token, *audience_reads([machine.audience])]


def machine_rights(machine: Machine, tx: Transaction) -> Sequence[Permission]:
    """Give what the caller's owner lets it do now. Raises InvalidToken where the credential is no longer good."""
    return _require_account(machine, tx).permissions if machine.key_id is None else key_rights(machine, tx)


def _require_account(machine: Machine, tx: Transaction) -> Registered:
    """Give the service account as it is. Raises InvalidToken where it, or this token, is no longer good."""
    client_id, token_id = _of_token(machine)
    account = tx.state(client.decider, client.stream(client_id))
    token = tx.state(machine_token.decider, machine_token.stream(token_id))
    if not isinstance(account, Registered) or not account.enabled or machine.epoch < account.epoch:
        raise InvalidToken
    try:  # a service token is given for weeks: what its audience says holds for all of them
        for_client(audience_in(tx, machine.audience), client_id)
    except AudienceNotAllowed as not_any_more:
        raise InvalidToken from not_any_more
    if machine.audience not in account.audiences or not machine_token.is_live(token, long_lived=machine.long_lived):
        raise InvalidToken
    return account


def _of_token(machine: Machine) -> tuple[ClientId, TokenId]:
    if machine.client_id is None or machine.token_id is None:
        raise InvalidToken
    return machine.client_id, machine.token_id


def claimed(claims: AccessClaims) -> Machine:
    """Say what a verified token claims; nothing of it is looked up yet. Raises InvalidToken for what is no service account's."""
    try:
        token_id = TokenId(UUID(claims.jti))
    except ValueError as bad:
        raise InvalidToken from bad
    if claims.principal is not PrincipalKind.SERVICE:
        raise InvalidToken
    return Machine(
        client_id=ClientId(claims.sub),
        token_id=token_id,
        long_lived=claims.exp - claims.iat > LONGEST_ACCESS_TOKEN,
        epoch=claims.epoch,
        audience=AudienceName(claims.aud),
        permissions=tuple(Permission(text) for text in claims.scope.split()),
    )
