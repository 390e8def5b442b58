"""Whether whoever asks may still act, looked at once more in the very moment of the decision.

A caller is found live when the request comes in; hashing a password, or losing a race, can take long enough for them
to be suspended or signed out everywhere. What they then decide must not count.
"""

from commands.context import Principal
from commands.transact import Read, Transaction
from domain import factors, session, user
from domain.account import Account
from domain.assurance import Acr
from domain.errors import InvalidToken, ReauthenticationRequired, SessionEnded
from domain.session_state import Live
from domain.user import Active


def standing_reads(principal: Principal) -> list[Read]:
    """What `require_standing` needs to be read: the caller's account and session, and the factors where it counts that there are none."""
    reads: list[Read] = [(user.decider, user.stream(principal.user_id)), (session.decider, session.stream(principal.session_id))]
    return [*reads, (factors.decider, factors.stream(principal.user_id))] if principal.factorless else reads


def require_standing(tx: Transaction, principal: Principal) -> tuple[Live, Account]:
    """Give the caller's session and account as they are. Raises InvalidToken, SessionEnded, and ReauthenticationRequired where a factor
    was enrolled since a proof was taken without one."""
    who = tx.state(user.decider, user.stream(principal.user_id))
    which = tx.state(session.decider, session.stream(principal.session_id))
    if not isinstance(who, Active):
        raise InvalidToken
    live = session.live(which)
    if live.user_id != principal.user_id or not session.is_live(live, user_epoch=who.account.token_epoch, at=tx.at):
        raise SessionEnded
    if principal.factorless and tx.state(factors.decider, factors.stream(principal.user_id)).enrolled:
        raise ReauthenticationRequired(acr=Acr.TWO_FACTOR)
    return live, who.account
