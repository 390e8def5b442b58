"""Whether whoever asks may still act, looked at once more in the very moment of the decision.

A caller is found live when the request comes in; hashing a password, or losing a race, can take long enough for them
to be suspended or signed out everywhere. What they then decide must not count.
"""

from commands.context import Principal
from commands.transact import Read, Transaction
from domain import session, user
from domain.account import Account
from domain.errors import InvalidToken, SessionEnded
from domain.session_state import Live
from domain.user import Active


def standing_reads(principal: Principal) -> list[Read]:
    """What `require_standing` needs to be read: the caller's account and session."""
    return [(user.decider, user.stream(principal.user_id)), (session.decider, session.stream(principal.session_id))]


def require_standing(tx: Transaction, principal: Principal) -> tuple[Live, Account]:
    """Give the caller's session and account as they are. Raises InvalidToken, SessionEnded."""
    who = tx.state(user.decider, user.stream(principal.user_id))
    which = tx.state(session.decider, session.stream(principal.session_id))
    if not isinstance(who, Active):
        raise InvalidToken
    live = session.live(which)
    if live.user_id != principal.user_id or not session.is_live(live, user_epoch=who.account.token_epoch, at=tx.at):
        raise SessionEnded
    return live, who.account
