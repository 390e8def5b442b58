"""Who may change a person's second factors: themselves, having just shown the strongest one they have (threats.md 5)."""

from collections.abc import Callable
from dataclasses import dataclass

from commands.context import Context
from commands.revoke_session import required
from commands.standing import require_standing, standing_reads
from commands.transact import Read, Transaction
from domain import factors
from domain.account import Account
from domain.assurance import Acr
from domain.errors import ReauthenticationRequired
from domain.factor_state import Factors
from domain.factors import strongest
from domain.ids import StreamName, UserId
from domain.session_events import AuthMethod

PROOF_MAX_AGE = 900
"""Seconds since the strongest factor was shown, by the token at hand."""


@dataclass(frozen=True, slots=True)
class Enroller:
    """Whose factors change, and what has to hold when they do. Read `reads` in the decision, and call `require` first."""

    user_id: UserId
    reads: tuple[Read, ...]
    require: Callable[[Transaction], Account]
    """Raises where they may not change a factor now."""
    standing: Callable[[Transaction], Account]
    """Raises where they may do nothing at all."""

    @property
    def stream(self) -> StreamName:
        return factors.stream(self.user_id)

    def state(self, tx: Transaction) -> Factors:
        return tx.state(factors.decider, self.stream)


def oneself(ctx: Context) -> Enroller:
    """`require` raises ReauthenticationRequired, InvalidToken, SessionEnded. That the proof is fresh is the policy table's to say.

    A mailed code takes the password beside it: without the factor, the mailbox alone would choose a new one (threats.md 3).
    """
    principal = required(ctx)
    of_factors = (factors.decider, factors.stream(principal.user_id))

    def standing(tx: Transaction) -> Account:
        return require_standing(tx, principal)[1]

    def require(tx: Transaction) -> Account:
        account = standing(tx)
        best = strongest(tx.state(*of_factors))
        if best not in principal.amr:
            raise ReauthenticationRequired(PROOF_MAX_AGE)
        if best is AuthMethod.EMAIL and AuthMethod.PASSWORD not in principal.amr:
            raise ReauthenticationRequired(PROOF_MAX_AGE, Acr.TWO_FACTOR)
        return account

    return Enroller(principal.user_id, (*standing_reads(principal), of_factors), require, standing)
