"""A client lets a token go (RFC 7009): its own access tokens, and any refresh token or API key it holds the secret of.

What is unknown, not its own, or dead already changes nothing and is answered the same.
"""

from datetime import UTC, datetime

from msgspec.structs import replace

from commands.authenticate_client import Shown, client_read, require_client
from commands.context import Context, Machine
from commands.introspect import Presented
from commands.issue_token import origin_of_genuine
from commands.machines import claimed
from commands.ports import AccessClaims, Ports, PresentedRefreshToken
from commands.revoke_api_key import revoke_leaked_key
from commands.transact import Transaction, read_states, transact
from domain import machine_token, session, session_end, user
from domain.api_key import KeyRevocation
from domain.audience import PrincipalKind
from domain.client import Registered
from domain.errors import InvalidRefreshToken, InvalidToken, UnsupportedTokenType
from domain.machine_token import TokenRevocation
from domain.session import MINOS
from domain.session_events import EndReason
from domain.user import account_of


async def revoke_token(presented: Presented, shown: Shown, ctx: Context, ports: Ports) -> None:
    """Raises InvalidClient, and UnsupportedTokenType for a person's access token: their session is ended, with `auth/logout`."""
    asker = await require_client(await read_states(ports, [client_read(shown)]), shown, ports)
    ctx = _as_client(ctx, asker)
    match presented:
        case None:
            return
        case str():
            await revoke_leaked_key(presented, ctx, ports, reason=KeyRevocation.BY_HOLDER)
        case PresentedRefreshToken():
            await _end_session(presented, ctx, ports)
        case AccessClaims(principal=PrincipalKind.SERVICE):
            await _revoke_own(presented, asker, ctx, ports)
        case AccessClaims():
            raise UnsupportedTokenType


async def _revoke_own(claims: AccessClaims, asker: Registered, ctx: Context, ports: Ports) -> None:
    try:
        machine = claimed(claims)
    except InvalidToken:
        return
    if machine.client_id != asker.client_id or machine.token_id is None:
        return
    token_id, stream = machine.token_id, machine_token.stream(machine.token_id)

    def decide(tx: Transaction) -> None:
        events = machine_token.revoke(
            tx.state(machine_token.decider, stream),
            token_id=token_id,
            client_id=asker.client_id,
            expires_at=datetime.fromtimestamp(claims.exp, UTC),
            reason=TokenRevocation.BY_HOLDER,
            at=tx.at,
        )
        tx.record(machine_token.decider, stream, events)

    await transact(ports, ctx, [(machine_token.decider, stream)], decide)


def _as_client(ctx: Context, asker: Registered) -> Context:
    """The log says which service account let it go, whatever it was."""
    return replace(ctx, machine=Machine(client_id=asker.client_id, epoch=asker.epoch, audience=MINOS, permissions=()))


async def _end_session(presented: PresentedRefreshToken, ctx: Context, ports: Ports) -> None:
    try:
        origin = await origin_of_genuine(presented, ports)
    except InvalidRefreshToken:
        return
    stream, of_user = session.stream(presented.session_id), user.stream(origin.user_id)

    def decide(tx: Transaction) -> None:
        epoch = account_of(tx.state(user.decider, of_user)).token_epoch
        events = session_end.revoke(tx.state(session.decider, stream), user_epoch=epoch, reason=EndReason.LOGOUT, at=tx.at)
        tx.record(session.decider, stream, events)

    await transact(ports, ctx, [(session.decider, stream)], decide, glance=[(user.decider, of_user)])
