"""Sign out, with nothing but an access token; of this session, or everywhere."""

from uuid import UUID

from msgspec import Struct

from commands.context import Context
from commands.ports import AccessClaims, Ports
from commands.transact import Transaction, transact
from domain import session, session_end, user
from domain.errors import InvalidToken
from domain.ids import SessionId, UserId
from domain.session_events import EndReason
from domain.user import Active


class SignOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    everywhere: bool = False


async def sign_out(command: SignOut, claims: AccessClaims, ctx: Context, ports: Ports) -> None:
    """Effective when it returns. Idempotent: the token of a session that is over changes nothing, and is not refused.

    Raises InvalidToken for `everywhere` with a token that any other service is handed (threats.md 7).
    """
    if command.everywhere and claims.aud != session.MINOS:
        raise InvalidToken
    try:
        of_session = session.stream(SessionId(UUID(claims.sid)))
        of_user = user.stream(UserId(UUID(claims.sub)))
    except ValueError as bad:
        raise InvalidToken from bad

    def decide(tx: Transaction) -> None:
        who, which = tx.state(user.decider, of_user), tx.state(session.decider, of_session)
        if not isinstance(who, Active) or claims.epoch < who.account.token_epoch:
            return
        if not session.is_live(which, user_epoch=who.account.token_epoch, at=tx.at):
            return
        ended = session_end.revoke_own(
            which, owner=who.account.user_id, user_epoch=who.account.token_epoch, reason=EndReason.LOGOUT, at=tx.at
        )
        tx.record(session.decider, of_session, ended)
        if command.everywhere:
            tx.record(user.decider, of_user, user.sign_out_everywhere(who, at=tx.at))

    if command.everywhere:
        await transact(ports, ctx, [(user.decider, of_user), (session.decider, of_session)], decide)
    else:
        await transact(ports, ctx, [(session.decider, of_session)], decide, glance=[(user.decider, of_user)])
