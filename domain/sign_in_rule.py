"""Whether a right password signs an account in, by what is known of it: the rule that sign-ins follow, put into words for who asks later.

A test holds it against sign-ins themselves.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec import Struct

from domain.factor_policy import FactorPolicy, Requirement, meets
from domain.factor_state import Factors
from domain.ids import AudienceName
from domain.session_events import AuthMethod
from domain.sign_in_guard import Guard
from domain.user import Absent, Active, Deleted, Erased, Gone, Suspended, User, roles_of

VERSION = 1
"""Rises when the rule changes: what an earlier version said of a moment stays what it was."""

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
"""Moments are RFC 3339."""


class Verdict(StrEnum):
    NO_SUCH_ACCOUNT = "no_such_account"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_ERASED = "account_erased"
    LOCKED = "locked"
    """For a while, and for strangers: known devices and networks are counted apart, outside the log."""
    NO_PASSWORD = "no_password"
    EMAIL_UNVERIFIED = "email_unverified"
    FACTOR_BLOCKED = "factor_blocked"
    """As factor_required, and no code is looked at until a passkey or a recovery code was shown."""
    FACTOR_REQUIRED = "factor_required"
    ENROLMENT_REQUIRED = "enrolment_required"
    """More is asked for than the account has."""
    ALLOWED = "allowed"


class Known(Struct, frozen=True, kw_only=True):
    """What the rule looks at. `unverified_sign_in` is a setting."""

    who: User
    guard: Guard
    factors: Factors
    policy: FactorPolicy
    audience: AudienceName
    unverified_sign_in: bool

    @property
    def requirement(self) -> Requirement:
        return self.policy.asks(roles_of(self.who), self.audience)


def verdict(known: Known, *, at: datetime) -> Verdict:
    """Say what a right password, and nothing else, leads to at a moment, from a place that nobody knows and nothing is strange about."""
    if (refused := _refused(known.who)) is not None:
        return refused
    locked_until = known.guard.locked_until
    if locked_until is not None and locked_until > at:
        return Verdict.LOCKED
    account = known.who.account if isinstance(known.who, Active) else None
    if account is None or account.password is None:
        return Verdict.NO_PASSWORD
    if not (known.unverified_sign_in or account.email_verified) and account.recoverable_by_mail:
        return Verdict.EMAIL_UNVERIFIED
    if known.factors.enrolled:
        return Verdict.FACTOR_BLOCKED if known.factors.blocked else Verdict.FACTOR_REQUIRED
    return Verdict.ALLOWED if meets(known.requirement, (AuthMethod.PASSWORD,)) else Verdict.ENROLMENT_REQUIRED


def _refused(who: User) -> Verdict | None:
    match who:
        case Absent():
            return Verdict.NO_SUCH_ACCOUNT
        case Suspended():
            return Verdict.ACCOUNT_SUSPENDED
        case Deleted() | Gone():
            return Verdict.ACCOUNT_DELETED
        case Erased():
            return Verdict.ACCOUNT_ERASED
        case Active():
            return None
        case _:
            assert_never(who)


def said_of_user(who: User) -> Mapping[str, Value]:
    """Name what the rule looks at of an account; nothing personal, and of the password only that there is one."""
    account = None if isinstance(who, Absent | Erased) else who.account
    return {
        "status": type(who).__name__.lower(),
        "has_password": account is not None and account.password is not None,
        "email_verified": account is not None and account.email_verified,
        "token_epoch": None if isinstance(who, Absent) else who.token_epoch if isinstance(who, Erased) else who.account.token_epoch,
        "roles": () if account is None else tuple(map(str, account.roles)),
    }


def said_of_guard(guard: Guard) -> Mapping[str, Value]:
    return {"locked_until": None if guard.locked_until is None else guard.locked_until.isoformat()}


def said_of_factors(factors: Factors) -> Mapping[str, Value]:
    has = {"passkey": bool(factors.passkeys), "totp": factors.totp is not None, "email": factors.mailed is not None}
    return {
        "factors": tuple(name for name, there in has.items() if there),
        "recovery_codes": 0 if factors.recovery is None else factors.recovery.remaining,
        "codes_blocked": factors.blocked,
    }


def said_of_policy(policy: FactorPolicy) -> Mapping[str, Value]:
    return {
        "demanded_of_roles": tuple(f"{role}:{asked.value}" for role, asked in policy.roles.items()),
        "demanded_at_audiences": tuple(f"{audience}:{asked.value}" for audience, asked in policy.audiences.items()),
    }
