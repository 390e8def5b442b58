"""Of whom a second factor is demanded at this moment, for whoever decides by it: its head is read in the question there is anyway."""

from commands.transact import Transaction
from domain.account import Account
from domain.decider import Decider
from domain.factor_policy import STREAM, FactorPolicy, FactorPolicyEvent, decider, meets
from domain.ids import AudienceName, StreamName
from domain.session_state import Live

POLICY_READ: tuple[Decider[FactorPolicy, FactorPolicyEvent], StreamName] = (decider, STREAM)


def shows_enough(live: Live, account: Account, audience: AudienceName, tx: Transaction) -> bool:
    """Tell whether all that was shown in a session is what is demanded now for a token; `POLICY_READ` has to be read."""
    return meets(tx.state(*POLICY_READ).asks(account.roles, audience), (proof.method for proof in live.proofs))
