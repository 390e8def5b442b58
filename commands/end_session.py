"""An administrator ends somebody's session, or all of them."""

from msgspec import Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, transact
from domain import session, session_end, user
from domain.errors import NoSuchSession
from domain.ids import SessionId, UserId
from domain.session_events import EndReason
from domain.session_state import Absent, Forgotten
from domain.user import account_of


class EndSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    session_id: SessionId
    reason: EndReason = EndReason.ADMIN_TARGETED


class EndAllSessions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId


async def end_session(command: EndSession, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchUser, NoSuchSession (also when it is another user's), RightsExceeded."""
    of_session = session.stream(command.session_id)

    async def act(authority: Authority) -> Done[None]:
        reads: list[Read] = [(session.decider, of_session), *authority.reads]
        return await transact(ports, ctx, reads, lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        state = tx.state(session.decider, of_session)
        if isinstance(state, Absent | Forgotten) or state.user_id != command.user_id:
            raise NoSuchSession
        epoch = account_of(tx.state(user.decider, user.stream(command.user_id))).token_epoch
        tx.record(session.decider, of_session, session_end.revoke(state, user_epoch=epoch, reason=command.reason, at=tx.at))

    return await acting_on(command.user_id, ctx, ports, act)


async def end_all_sessions(command: EndAllSessions, ctx: Context, ports: Ports) -> Done[None]:
    """Raise the user's token epoch. Raises NoSuchUser, RightsExceeded."""
    of_user = user.stream(command.user_id)

    async def act(authority: Authority) -> Done[None]:
        return await transact(ports, ctx, authority.reads, lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        tx.record(user.decider, of_user, user.sign_out_everywhere(tx.state(user.decider, of_user), at=tx.at))

    return await acting_on(command.user_id, ctx, ports, act)
