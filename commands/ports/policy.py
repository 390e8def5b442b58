"""What the operator has settled: settings that decisions depend on, and the score of a sign-in."""

from collections.abc import Collection
from typing import Protocol

from msgspec import Struct

from domain.attributes import Schema
from domain.suspicion import Signal


class Score(Protocol):
    """Says whether these signals together make a sign-in suspicious. Enrolled factors are asked for whatever it says."""

    def __call__(self, found: Collection[Signal], /) -> bool: ...


class Policy(Struct, frozen=True, kw_only=True):
    """The settings that decisions depend on. Durations are whole seconds."""

    default_role: str = "user"
    access_token_ttl: int = 300
    refresh_idle_ttl: int = 14 * 86_400
    refresh_absolute_ttl: int = 90 * 86_400
    refresh_grace: int = 10
    registration: str = "open"
    password_min_length: int = 12
    api_key_ttl: int = 90 * 86_400
    """Life of an API key where its maker asks for none."""
    api_key_max_ttl: int = 365 * 86_400
    key_environment: str = "dev"
    """What a key says it is for: `live` in production. One of the other kind is refused."""
    password_min_score: int = 3
    sessions_per_user: int = 0
    """Sessions of one person at one audience; 0 where there is no limit."""
    password_history: int = 5
    service_name: str = "minos"
    invitation_ttl: int = 7 * 86_400
    attributes: Schema = {}
    """What accounts may say of their people besides the name."""
    erasure_wait: int = 7 * 86_400
    """How long an erasure that was asked for can be withdrawn."""
    restore_period: int = 30 * 86_400
    """How long a deleted account can be restored."""
    barred_names: int = 365 * 86_400
    """How long the names of an account that was suspended when its erasure began are nobody's."""
    email_verification: str = "optional"
    suspicious_sign_in_code: bool = False
    """Whether a suspicious sign-in of an account without a factor is asked for a code that is mailed to it."""
    unverified_sign_in: bool = True
    """Whether an account signs in whose address nobody has proved."""
