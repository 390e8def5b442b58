"""The answer that carries a pair of tokens."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.sign_in_challenge import FactorChoice, FactorRequired
from commands.token_answer import SignedIn
from domain.ids import SessionId, UserId

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
