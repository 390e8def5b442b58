"""What is written to people, as commands see it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct


class Letter(StrEnum):
    """Every kind of mail there is. Each has its wording in every language."""

    VERIFY_EMAIL = "verify_email"
    CONFIRM_EMAIL = "confirm_email"
    """Instead of the one before, where proving the address changes nothing else."""
    FINISH_REGISTRATION = "finish_registration"
    ACCOUNT_EXISTS = "account_exists"
    """Instead of the one before, where the address has an account."""
    CHANGE_EMAIL = "change_email"
    """To the address that an account is to have."""
    ADDRESS_IN_USE = "address_in_use"
    """Instead of the one before, where the address has an account."""
    EMAIL_CHANGED = "email_changed"
    """To the address that an account had."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a letter
    SUSPICIOUS_SIGN_IN = "suspicious_sign_in"
    USERNAME_CHANGED = "username_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - as above
    FACTOR_CHANGED = "factor_changed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_COPIED = "passkey_copied"
    CODES_GUESSED = "codes_guessed"
    KEY_MADE = "key_made"
    KEY_ENDS = "key_ends"
    ACCOUNT_DELETED = "account_deleted"
    INVITATION = "invitation"
    ERASURE_ASKED = "erasure_asked"
    ERASURE_BEGUN = "erasure_begun"
    SIGN_IN_CODE = "sign_in_code"
    PROOF_CODE = "proof_code"
    """A code for something besides signing in."""


class Budget(Struct, frozen=True, kw_only=True):
    """So many mails of a kind at most, and one more every so many seconds, to one address or asked for by one network. `of` is
    never stored as it is."""

    kind: str
    of: str
    most: int
    seconds: int

    def __repr__(self) -> str:
        return f"Budget(kind={self.kind}, most={self.most}, seconds={self.seconds})"


@runtime_checkable
class Mailbox(Protocol):
    """Mail that no event asks for: a row in the mailer's ledger, in one statement that costs the same whoever it is to.

    Nobody looks for the account here, so nothing can be told by the answer or the clock: the mailer does, later.
    """

    async def ask(self, letter: Letter, *, to: "str | UUID", budgets: Sequence[Budget], keep_s: int, about: UUID | None = None) -> int:
        """Ask for a letter to an address, or to the address of a user; `about` is the id of what it is about.

        Gives 0, or how many seconds to wait where a budget is used up. Raises StoreUnavailable.
        """
        ...

    async def spend(self, budgets: Sequence[Budget]) -> int:
        """Count one mail against all of these, or against none where one is used up; gives what `ask` gives."""
        ...

    async def hold(self, pending_id: UUID, content: str, letter: Letter, *, to: str, budgets: Sequence[Budget], keep_s: int) -> int:
        """Keep what waits for a proof sealed until it is proved or `keep_s` is over, and ask for its mail; gives what `ask` gives."""
        ...

    async def pending(self, pending_id: UUID) -> str | None:
        """Give what was kept; None when it is over. Raises StoreUnavailable."""
        ...

    async def forget_pending(self, pending_id: UUID) -> None: ...


class MailTokenKind(StrEnum):
    VERIFY = "verify"
    """Of a user and their address's claim: who has it reads the mailbox."""
    RESET = "reset"
    """Of a user and one asking for a new password."""
    PENDING = "pending"
    """Of a registration that waits: who has it reads the mailbox."""
    BROWSER = "browser"
    """Of the same or the next, for the browser that asked."""
    INVITATION = "invitation"
    """Of an invitation and which mail about it it was in: who has it reads the mailbox."""
    CHANGE = "change"
    """Of a change of address that waits: who has it reads the new mailbox."""
    UNDO = "undo"
    """Of a user and the claim of their earlier address: who has it reads that mailbox."""


class MailToken(Struct, frozen=True, kw_only=True):
    """What a link in a mail stands for. `expires_at` is in whole seconds since the epoch."""

    kind: MailTokenKind
    subject: UUID
    about: UUID
    expires_at: int


@runtime_checkable
class MailTokens(Protocol):
    """Tokens derived from ids by a MAC: nothing that is stored anywhere is one."""

    def make(self, token: MailToken) -> str: ...
    def read(self, text: str) -> MailToken | None:
        """None for what was not made here. Says nothing yet of its being in time, or unused."""
        ...
