"""End a session of one's own, or all the others."""

from enum import StrEnum

from msgspec import Struct

from commands.context import Context, Principal
from commands.factor_policy_head import POLICY_READ, shows_enough
from commands.ports import Ports
from commands.standing import require_standing, standing_reads
from commands.start_session import issue_on
from commands.token_answer import SignedIn, token_answer
from commands.transact import Done, Transaction, transact
from domain import session, session_end, user
from domain.account import Account
from domain.errors import InvalidToken, StrongerFactorRequired
from domain.ids import SessionId
from domain.session_events import EndReason
from domain.session_state import Live
from domain.user import account_of


class SelfRevokeReason(StrEnum):
    SELF_TARGETED = "self_targeted"
    LOGOUT = "logout"


class RevokeSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session_id: SessionId
    reason: SelfRevokeReason = SelfRevokeReason.SELF_TARGETED


async def revoke_session(command: RevokeSession, ctx: Context, ports: Ports) -> Done[None]:
    """Effective when it returns; ending an ended one changes nothing. Raises NoSuchSession, for another's too."""
    principal = required(ctx)
    stream, of_user = session.stream(command.session_id), user.stream(principal.user_id)

    def decide(tx: Transaction) -> None:
        ended = session_end.revoke_own(
            tx.state(session.decider, stream),
            owner=principal.user_id,
            user_epoch=account_of(tx.state(user.decider, of_user)).token_epoch,
            reason=EndReason(command.reason),
            at=tx.at,
        )
        tx.record(session.decider, stream, ended)

    return await transact(ports, ctx, [(session.decider, stream)], decide, glance=[(user.decider, of_user)])


async def revoke_other_sessions(ctx: Context, ports: Ports) -> Done[SignedIn]:
    """Raise the token epoch, keep this session under the new one, and answer with a new pair. O(1) however many there are.

    The answer has a refresh token in it. So that a stolen access token, which lives for minutes, does not turn into one that lives
    for months, whoever calls this has held the caller to a fresh proof (`api/policy.py`). Raises SessionEnded, InvalidToken,
    StrongerFactorRequired.
    """
    principal = required(ctx)
    of_user = user.stream(principal.user_id)

    def decide(tx: Transaction) -> tuple[Live, Account]:
        require_standing(tx, principal)
        raised = tx.record(user.decider, of_user, user.sign_out_everywhere(tx.state(user.decider, of_user), at=tx.at))
        return keep_session(tx, principal, account_of(raised), ports), account_of(raised)

    return await next_pair(await transact(ports, ctx, standing_reads(principal), decide, glance=[POLICY_READ]), ports)


def keep_session(tx: Transaction, principal: Principal, account: Account, ports: Ports) -> Live:
    """Rebase the caller's session onto the account's new epoch and issue its next token, in the same append.

    The decision has to have looked at the caller's standing before it raised the epoch: this would raise the dead. The session's
    events come last in the append (`standing_reads`): a list that shows them shows the others ended. `POLICY_READ` has to be read.

    Raises StrongerFactorRequired where more is demanded than was shown, as a refresh does.
    """
    stream = session.stream(principal.session_id)
    state = session.live(tx.state(session.decider, stream))
    if not shows_enough(state, account, state.audience, tx):
        raise StrongerFactorRequired
    rebased = tx.record(session.decider, stream, session.rebase(state, token_epoch=account.token_epoch, at=tx.at))
    return session.live(tx.record(session.decider, stream, issue_on(rebased, state.audience, ports, tx)))


async def next_pair(kept: Done[tuple[Live, Account]], ports: Ports) -> Done[SignedIn]:
    """Answer with the tokens of the session that was kept. The device was known under the epoch that is over: it gets a new token,
    or whoever reacts to an attack could be locked out by it."""
    live, account = kept.result
    device_token = ports.mint.device_token(user_id=account.user_id, epoch=account.token_epoch, device_id=ports.random.uuid7())
    version = kept.versions.get(session.stream(live.session_id), 0)
    pair = await token_answer(live, account, ports, version=version, at=kept.at, device_token=device_token)
    return Done(result=pair, versions=kept.versions, at=kept.at, appended=kept.appended)


def required(ctx: Context) -> Principal:
    if ctx.principal is None:
        raise InvalidToken
    return ctx.principal
