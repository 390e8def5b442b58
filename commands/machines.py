"""From a machine's token to the service account that calls, on the truth of the heads; and what it may do, looked at again."""

from collections.abc import Sequence
from uuid import UUID

from commands.context import Machine
from commands.ports import AccessClaims, Ports
from commands.transact import Read, Transaction, read_states
from domain import client, machine_token, signing_key
from domain.client import Registered
from domain.errors import InvalidToken
from domain.ids import AudienceName, ClientId, Kid, TokenId
from domain.permission import Permission, shared

LONGEST_ACCESS_TOKEN = 3_600
"""Seconds. What lives longer is a service token, and has to have been issued as one."""


async def identify_machine(claims: AccessClaims, ports: Ports) -> Machine:
    """Find the service account of a verified token live, with what it may do now. Raises InvalidToken."""
    machine = _claimed(claims)
    of_key = signing_key.stream(Kid(claims.kid))
    tx = await read_states(ports, [*machine_streams(machine), (signing_key.decider, of_key)])
    if not signing_key.verifies(tx.state(signing_key.decider, of_key), at=tx.at):
        raise InvalidToken
    account = require_machine(machine, tx)
    held = shared(machine.permissions, account.permissions)
    return Machine(
        client_id=machine.client_id,
        token_id=machine.token_id,
        long_lived=machine.long_lived,
        epoch=machine.epoch,
        audience=machine.audience,
        permissions=held,
    )


def machine_streams(machine: Machine) -> list[Read]:
    """What `require_machine` needs to be read: the service account and this very token."""
    return [
        (client.decider, client.stream(machine.client_id)),
        (machine_token.decider, machine_token.stream(machine.token_id)),
    ]


def require_machine(machine: Machine, tx: Transaction) -> Registered:
    """Give the service account as it is. Raises InvalidToken where it, or this token, is no longer good."""
    account = tx.state(client.decider, client.stream(machine.client_id))
    token = tx.state(machine_token.decider, machine_token.stream(machine.token_id))
    if not isinstance(account, Registered) or not account.enabled or machine.epoch < account.epoch:
        raise InvalidToken
    if machine.audience not in account.audiences or not machine_token.is_live(token, long_lived=machine.long_lived):
        raise InvalidToken
    return account


def machine_rights(machine: Machine, tx: Transaction) -> Sequence[Permission]:
    """Give what the service account may do now. Raises InvalidToken."""
    return require_machine(machine, tx).permissions


def _claimed(claims: AccessClaims) -> Machine:
    try:
        token_id = TokenId(UUID(claims.jti))
    except ValueError as bad:
        raise InvalidToken from bad
    return Machine(
        client_id=ClientId(claims.sub),
        token_id=token_id,
        long_lived=claims.exp - claims.iat > LONGEST_ACCESS_TOKEN,
        epoch=claims.epoch,
        audience=AudienceName(claims.aud),
        permissions=tuple(Permission(text) for text in claims.scope.split()),
    )
