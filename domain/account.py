"""What an account is in every stage past Absent, and what each event makes of it.

`token_epoch` rises whenever every token given before must die; `roles_version` whenever a role is gained or lost;
`password_version` with each new password.
"""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Sealed
from domain.ids import ClaimId, RoleSlug, UserId
from domain.locale import Locale
from domain.user_events import (
    EarlierEmailReleased,
    EmailChanged,
    EmailRestored,
    EmailVerified,
    LocaleChosen,
    PasswordRehashed,
    PasswordSet,
    PasswordsForgotten,
    ProfileChanged,
    RegisteredBy,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    UsernameChanged,
    UserRegistered,
)


class EarlierEmail(Struct, frozen=True, kw_only=True):
    """The address before the last change, while that can be taken back; nobody else can have it yet."""

    email: Sealed
    claim: ClaimId
    changed_at: datetime
    undo_until: datetime


class Account(Struct, frozen=True, kw_only=True):
    user_id: UserId
    email: Sealed
    email_claim: ClaimId
    email_verified: bool
    """Whether anybody has shown that they read its mailbox."""
    username: Sealed | None
    username_claim: ClaimId | None
    name: Sealed | None
    roles: tuple[RoleSlug, ...]
    roles_version: int
    token_epoch: int
    password: Sealed | None
    password_version: int
    earlier_passwords: tuple[Sealed, ...] = ()
    """Newest first; none of them may come back."""
    registered_by: RegisteredBy
    registered_at: datetime
    earlier: EarlierEmail | None = None
    locale: Locale | None = None

    @property
    def doubtful(self) -> bool:
        """Whether it may be another's who only named this address: opened by somebody for themselves, and nobody ever proved it.

        What an administrator made or an import brought is its holder's, whoever turns out to read the mailbox.
        """
        return self.registered_by is RegisteredBy.SELF and not self.email_verified

    @property
    def recoverable_by_mail(self) -> bool:
        """Whether links go to the address that anybody may ask for: not where an administrator named one that nobody proved.

        It may be another's by a slip of the pen, and such an account is often an administrator's.
        """
        return self.email_verified or self.registered_by in {RegisteredBy.SELF, RegisteredBy.IMPORT}


def opened(event: UserRegistered) -> Account:
    return Account(
        user_id=event.user_id,
        email=event.email,
        email_claim=event.email_claim,
        email_verified=False,
        username=event.username,
        username_claim=event.username_claim,
        name=event.name,
        roles=event.roles,
        roles_version=1,
        token_epoch=1,
        password=None,
        password_version=0,
        registered_by=event.registered_by,
        registered_at=event.at,
    )


AccountChange = (
    EmailVerified | EmailChanged | EmailRestored | EarlierEmailReleased
    | LocaleChosen | PasswordSet | PasswordRehashed | PasswordsForgotten | ProfileChanged | UsernameChanged | RoleGranted | RoleRevoked
    | SignedOutEverywhere
)  # fmt: skip


def changed(account: Account, event: AccountChange) -> Account:
    match event:
        case PasswordSet() | PasswordRehashed() | PasswordsForgotten():
            return _with_password(account, event)
        case EmailVerified() | EmailChanged() | EmailRestored() | EarlierEmailReleased():
            return _with_address(account, event)
        case LocaleChosen():
            return replace(account, locale=event.locale)
        case ProfileChanged():
            return replace(account, name=event.name)
        case UsernameChanged():
            return replace(account, username=event.username, username_claim=event.username_claim)
        case RoleGranted():
            roles = tuple(sorted({*account.roles, event.role}))
            return replace(account, roles=roles, roles_version=event.roles_version)
        case RoleRevoked():
            roles = tuple(r for r in account.roles if r != event.role)
            return replace(account, roles=roles, roles_version=event.roles_version)
        case SignedOutEverywhere():
            return replace(account, token_epoch=event.token_epoch)
        case _:
            assert_never(event)


def _with_address(account: Account, event: EmailVerified | EmailChanged | EmailRestored | EarlierEmailReleased) -> Account:
    match event:
        case EmailVerified():
            return replace(account, email_verified=True)
        case EmailChanged():
            return replace(account, email=event.email, email_claim=event.email_claim, email_verified=True, earlier=_earlier(account, event))
        case EmailRestored():
            return replace(account, email=event.email, email_claim=event.email_claim, email_verified=True, earlier=None)
        case EarlierEmailReleased():
            return replace(account, earlier=None)
        case _:
            assert_never(event)


def _earlier(account: Account, event: EmailChanged) -> EarlierEmail | None:
    if event.undo_until is None:
        return None
    return EarlierEmail(email=account.email, claim=account.email_claim, changed_at=event.at, undo_until=event.undo_until)


def _with_password(account: Account, event: PasswordSet | PasswordRehashed | PasswordsForgotten) -> Account:
    match event:
        case PasswordSet():
            return replace(
                account,
                password=event.password,
                password_version=event.password_version,
                earlier_passwords=tuple(p for p in (account.password, *account.earlier_passwords) if p is not None),
                token_epoch=event.token_epoch,
            )
        case PasswordRehashed():
            return replace(account, password=event.password)
        case PasswordsForgotten():
            return replace(account, earlier_passwords=account.earlier_passwords[: event.remembered])
        case _:
            assert_never(event)
