"""Refusals about second factors and the challenges that ask for one."""

from domain.errors.refused import Refused


class InvalidChallenge(Refused):
    code = "invalid_challenge"
    detail = "The challenge is not one of ours, too old, or was completed already: sign in again."


class ProofIncomplete(Refused):
    code = "proof_incomplete"
    detail = "A code goes with a code factor, the password with a mailed code, an assertion with a passkey; and something has to be shown."


class InvalidFactor(Refused):
    code = "invalid_factor"
    detail = "The code or key is wrong, was used already, or is not one of this account's."


class FactorPaused(Refused):
    """Too many wrong codes in a row; `retry_after` in whole seconds. Recovery codes and passkeys still help."""

    code = "factor_paused"
    detail = "Too many wrong codes: wait, or use a recovery code or a passkey."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class FactorBlocked(Refused):
    code = "factor_blocked"
    detail = "Too many wrong codes: only a recovery code or a passkey is accepted now."


class FactorNotEnrolled(Refused):
    code = "factor_not_enrolled"
    detail = "There is no second factor on this account: enrol one first."


class NoSuchFactor(Refused):
    code = "factor_not_found"
    detail = "There is no such factor."


class TooManyFactors(Refused):
    code = "too_many_factors"
    detail = "This account has as many passkeys as are kept."


class StrongerFactorRequired(Refused):
    """What was shown in this session, or for it, is less than the roles and the audience ask for now."""

    code = "stronger_factor_required"
    detail = "More is asked for here than was shown: show a stronger factor in this session, or sign in again."


class SecondFactorRequired(Refused):
    code = "second_factor_required"
    detail = "This account has a second factor: show it, too."
