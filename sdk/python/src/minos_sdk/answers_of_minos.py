"""What Minos answers, as far as a client needs it. Secrets hide in `repr`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Keep `refresh_token` to go on with this session later: it works once, so keep the newest. Lives are in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    session_id: str
    user_id: str
    expires_in: int
    refresh_expires_in: int
    device_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FactorRequired:
    """The password was right, and is not enough: show one of `factors` with the challenge. So called where one has to be enrolled
    first (`status` says `enrolment_required`), which is for a page to do."""

    status: Literal["factor_required", "enrolment_required"]
    challenge: str = field(repr=False)
    factors: Sequence[str]
    expires_in: int


@dataclass(frozen=True, slots=True)
class Granted:
    """A service's own access token."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`role` is the caller's first role, by name, that gives the permission."""

    allowed: bool
    because: str
    role: str | None = None

    def __bool__(self) -> bool:
        return self.allowed


def signed_in(told: Any) -> TokenPair | FactorRequired:
    if told.get("status", "signed_in") == "signed_in":
        return token_pair(told)
    factors = [each["factor"] for each in told["factors"]] if "factors" in told else list(told.get("may_enrol", ()))
    return FactorRequired(told["status"], told["challenge"], factors, told["expires_in"])


def token_pair(told: Any) -> TokenPair:
    return TokenPair(
        access_token=told["access_token"],
        refresh_token=told["refresh_token"],
        session_id=told["session_id"],
        user_id=told["user_id"],
        expires_in=told["expires_in"],
        refresh_expires_in=told["refresh_expires_in"],
        device_token=told.get("device_token"),
    )


def verdict(told: Any) -> Verdict:
    return Verdict(told["allowed"], told["because"], told.get("role"))
