"""What can happen to a person's account. `domain/user.py` says what it means and when it may."""

from datetime import datetime
from enum import StrEnum

from domain.event import Event, Sealed
from domain.ids import ClaimId, InvitationId, RoleSlug, SubjectKeyId, UserId
from domain.locale import Locale


class RegisteredBy(StrEnum):
    SELF = "self"
    ADMINISTRATOR = "administrator"
    BOOTSTRAP = "bootstrap"
    IMPORT = "import"


class PasswordReason(StrEnum):
    CHOSEN = "chosen"
    CHANGED = "changed"
    RESET = "reset"
    """By a link in a mail to the account's address."""
    PROVED = "proved"
    """Chosen by whoever was the first to prove that the address is theirs."""
    IMPORTED = "imported"
    """Only its hash is known, as another system made it."""


class SuspendReason(StrEnum):
    ADMINISTRATIVE = "administrative"
    COMPROMISED = "compromised"
    ABUSE = "abuse"
    LEFT = "left"


class DeleteReason(StrEnum):
    ADMINISTRATIVE = "administrative"
    LEFT = "left"
    ABUSE = "abuse"
    DUPLICATE = "duplicate"
    ERASURE = "erasure"
    """Its owner asked for it to be erased, and the wait is over."""


class AskedBy(StrEnum):
    """Whose wish an erasure is."""

    OWN_REQUEST = "own_request"
    ADMINISTRATOR = "administrator"
    LAW = "law"
    """An administrator, because the law asks for it."""


class NamesFate(StrEnum):
    RELEASED = "released"
    BARRED = "barred"
    """Nobody's for a while: the account was suspended, or could still be restored, when its erasure began."""


class UserRegistered(Event, frozen=True, kw_only=True, tag="user.registered.v1"):
    user_id: UserId
    email: Sealed
    email_claim: ClaimId
    username: Sealed | None
    username_claim: ClaimId | None
    name: Sealed | None
    roles: tuple[RoleSlug, ...]
    registered_by: RegisteredBy


class PasswordSet(Event, frozen=True, kw_only=True, tag="user.password_set.v1"):
    """A password was chosen for the first time, or changed: then `token_epoch` is a new one."""

    user_id: UserId
    password: Sealed
    password_version: int
    token_epoch: int
    reason: PasswordReason


class EmailVerified(Event, frozen=True, kw_only=True, tag="user.email_verified.v1"):
    """Whoever did this reads the mailbox of the address that the claim stands for."""

    user_id: UserId
    email_claim: ClaimId


class EmailChanged(Event, frozen=True, kw_only=True, tag="user.email_changed.v1"):
    """Its owner wanted another address, and somebody has shown that they read its mailbox. Until `undo_until` whoever reads the earlier one
    can take that back; None where nobody ever proved that."""

    user_id: UserId
    email: Sealed
    email_claim: ClaimId
    undo_until: datetime | None


class EmailRestored(Event, frozen=True, kw_only=True, tag="user.email_restored.v1"):
    """Whoever reads the earlier address took the change back."""

    user_id: UserId
    email: Sealed
    email_claim: ClaimId


class EarlierEmailReleased(Event, frozen=True, kw_only=True, tag="user.earlier_email_released.v1"):
    """Too late to take a change of address back: the earlier one is free for others."""

    user_id: UserId


class PasswordRehashed(Event, frozen=True, kw_only=True, tag="user.password_rehashed.v1"):
    """The same password under today's parameters; nothing else changes."""

    user_id: UserId
    password: Sealed
    password_version: int


class PasswordsForgotten(Event, frozen=True, kw_only=True, tag="user.passwords_forgotten.v1"):
    """Of the passwords before today's only the newest `remembered` are kept to compare with: the others' keys are destroyed."""

    user_id: UserId
    remembered: int


class ProfileChanged(Event, frozen=True, kw_only=True, tag="user.profile_changed.v1"):
    user_id: UserId
    name: Sealed | None


class LocaleChosen(Event, frozen=True, kw_only=True, tag="user.locale_chosen.v1"):
    """None: whatever the installation writes in."""

    user_id: UserId
    locale: Locale | None


class UsernameChanged(Event, frozen=True, kw_only=True, tag="user.username_changed.v1"):
    user_id: UserId
    username: Sealed | None
    username_claim: ClaimId | None


class RoleGranted(Event, frozen=True, kw_only=True, tag="user.role_granted.v1"):
    user_id: UserId
    role: RoleSlug
    roles_version: int


class RoleRevoked(Event, frozen=True, kw_only=True, tag="user.role_revoked.v1"):
    user_id: UserId
    role: RoleSlug
    roles_version: int


class UserSuspended(Event, frozen=True, kw_only=True, tag="user.suspended.v1"):
    user_id: UserId
    reason: SuspendReason
    note: Sealed | None
    token_epoch: int


class UserReinstated(Event, frozen=True, kw_only=True, tag="user.reinstated.v1"):
    user_id: UserId


class UserDeleted(Event, frozen=True, kw_only=True, tag="user.deleted.v1"):
    """As good as not there from now on; until `restorable_until` its names are nobody else's and, unless its erasure has begun, it can come
    back."""

    user_id: UserId
    reason: DeleteReason
    token_epoch: int
    restorable_until: datetime


class UserRestored(Event, frozen=True, kw_only=True, tag="user.restored.v1"):
    """Back as it was before it was deleted, also where that was suspended."""

    user_id: UserId


class NamesReleased(Event, frozen=True, kw_only=True, tag="user.names_released.v1"):
    """A deleted account does not come back any more: its address and username are free for others."""

    user_id: UserId


class UserErased(Event, frozen=True, kw_only=True, tag="user.erased.v1"):
    """The receipt of an erasure, and the last event of its stream: nothing of the person is known from now on.

    `keys` are those that were theirs, the oldest first and no more than fit; `key_count` is how many there were. All of them are destroyed
    because of this event, and with them those of `invitations`, which became the account. `barred` are the claims that nobody gets
    before `names_until`.
    """

    user_id: UserId
    asked_by: AskedBy
    keys: tuple[SubjectKeyId, ...]
    key_count: int
    invitations: tuple[InvitationId, ...]
    names: NamesFate
    barred: tuple[ClaimId, ...]
    names_until: datetime | None
    token_epoch: int
    roles_version: int


class SignedOutEverywhere(Event, frozen=True, kw_only=True, tag="user.signed_out_everywhere.v1"):
    user_id: UserId
    token_epoch: int


UserEvent = (
    UserRegistered | EmailVerified | EmailChanged | EmailRestored | EarlierEmailReleased
    | LocaleChosen | PasswordSet | PasswordRehashed | PasswordsForgotten | ProfileChanged | UsernameChanged
    | RoleGranted | RoleRevoked | UserSuspended | UserReinstated | UserDeleted | UserRestored | NamesReleased | SignedOutEverywhere
    | UserErased
)  # fmt: skip
