"""The answer that carries a pair of tokens."""

from typing import Annotated, Literal, assert_never

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from commands.enrol_at_sign_in import EnrolledAndIn
from commands.sign_in_challenge import EnrolmentRequired, Factor, FactorChoice, FactorRequired
from commands.token_answer import SignedIn
from domain.ids import FactorId, SessionId, UserId

Seconds = Annotated[int, Meta(ge=0, description="Whole seconds.")]


class TokenPair(Struct, frozen=True, kw_only=True):
    """An access token (RFC 9068) and the refresh token that gets the next one."""

    status: Literal["signed_in"] = "signed_in"
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: Seconds
    refresh_token: str
    refresh_expires_in: Seconds
    session_id: SessionId
    user_id: UserId
    device_token: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"TokenPair(session_id={self.session_id}, user_id={self.user_id})"


class FactorNeeded(Struct, frozen=True, kw_only=True):
    """The password was right, and is not enough: send the challenge back to `auth/login/factor` with any one of these."""

    status: Literal["factor_required"] = "factor_required"
    challenge: str
    factors: tuple[FactorChoice, ...]
    expires_in: Seconds

    def __repr__(self) -> str:
        return f"FactorNeeded(factors={[choice.factor for choice in self.factors]})"


class EnrolmentNeeded(Struct, frozen=True, kw_only=True):
    """What was shown is right, and less than is asked for here: enrol one of `may_enrol` with the challenge, at `auth/login/enrol`."""

    status: Literal["enrolment_required"] = "enrolment_required"
    challenge: str
    may_enrol: tuple[Factor, ...]
    expires_in: Seconds

    def __repr__(self) -> str:
        return f"EnrolmentNeeded(may_enrol={self.may_enrol})"


class EnrolledPair(TokenPair, frozen=True, kw_only=True):
    """A factor that counts from now on, recovery codes where there were none (shown once), and the session it was enrolled for."""

    factor_id: FactorId
    recovery_codes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"EnrolledPair(session_id={self.session_id}, factor_id={self.factor_id})"


def answer_of(answer: SignedIn | FactorRequired | EnrolmentRequired) -> TokenPair | FactorNeeded | EnrolmentNeeded:
    match answer:
        case SignedIn():
            return token_pair(answer)
        case FactorRequired():
            return factor_needed(answer)
        case EnrolmentRequired():
            return EnrolmentNeeded(challenge=answer.challenge, may_enrol=answer.may_enrol, expires_in=answer.expires_in)
        case _:
            assert_never(answer)


def enrolled_pair(done: EnrolledAndIn) -> EnrolledPair:
    pair = structs.asdict(token_pair(done.signed_in))
    return EnrolledPair(**pair, factor_id=done.enrolled.factor_id, recovery_codes=done.enrolled.recovery_codes)


def factor_needed(required: FactorRequired) -> FactorNeeded:
    return FactorNeeded(challenge=required.challenge, factors=required.factors, expires_in=required.expires_in)


def token_pair(signed_in: SignedIn) -> TokenPair:
    return TokenPair(
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in,
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=signed_in.refresh_expires_in,
        session_id=signed_in.session_id,
        user_id=signed_in.user_id,
        device_token=UNSET if signed_in.device_token is None else signed_in.device_token,
    )
