"""Refusals about accounts, their names, passwords and mail."""

from domain.errors.refused import Refused


class NoSuchUser(Refused):
    code = "user_not_found"
    detail = "There is no such user."


class EmailTaken(Refused):
    code = "email_taken"
    detail = "This e-mail address already has an account."


class UsernameTaken(Refused):
    code = "username_taken"
    detail = "This username is taken."


class InvalidEmail(Refused):
    code = "invalid_email"
    detail = "This is not an e-mail address that mail could be sent to."


class InvalidUsername(Refused):
    code = "invalid_username"
    detail = "A username has 3 to 64 letters, digits, dots, hyphens or underscores, and begins with a letter or digit."


class PasswordUnacceptable(Refused):
    code = "password_unacceptable"
    detail = "The password is too short, too long, too easily guessed, known, used before, or contains the account's own address or name."

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why

    def __str__(self) -> str:
        return self.why


class RegistrationClosed(Refused):
    code = "registration_closed"
    detail = "Accounts are not open for self-registration here."


class LoginNameRequired(Refused):
    code = "login_name_required"
    detail = "Exactly one of email and username is needed."


class MailTokenInvalid(Refused):
    code = "mail_token_invalid"
    detail = "The token is not one of ours, was used, has expired, or a newer one took its place."


class MailLimited(Refused):
    """Enough was sent for now; `retry_after` in whole seconds."""

    code = "mail_limited"
    detail = "Enough mail was sent for now; look into the mailbox, or try again later."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class EmailAlreadyVerified(Refused):
    code = "email_already_verified"
    detail = "The address of this account has been proved."


class EmailNotVerified(Refused):
    code = "email_not_verified"
    detail = "The address of this account has to be proved before it can be used."


class NewPasswordRequired(Refused):
    code = "new_password_required"
    detail = "Proving an address for the first time needs a new password: whoever opened the account may have been another."


class NewPasswordNotTaken(Refused):
    code = "new_password_not_taken"
    detail = "This link proves an address and sets no password; send it without one."


class EmailChangedLately(Refused):
    code = "email_changed_lately"
    detail = "The address was changed in the last three days, and that can still be taken back; wait until it cannot."


class AskerRequired(Refused):
    code = "asker_required"
    detail = "A change of address is confirmed by who asked for it: send `registration` from the answer of then along."


class BootstrapClosed(Refused):
    code = "bootstrap_closed"
    detail = "The first administrator already exists."


class BootstrapCodeInvalid(Refused):
    code = "bootstrap_code_invalid"
    detail = "The bootstrap code is wrong, used up or expired."


class RestoreTooLate(Refused):
    code = "restore_too_late"
    detail = "The account was deleted too long ago to be restored."


class NoSuchInvitation(Refused):
    code = "invitation_not_found"
    detail = "There is no such invitation."


class InvitationOver(Refused):
    code = "invitation_over"
    detail = "The invitation was accepted, revoked, or mailed as often as one is; make another."


class AttributeRefused(Refused):
    """`name` is of the form that names have; None where it is about all of them together."""

    def __init__(self, name: str | None = None, wanted: str = "") -> None:
        super().__init__()
        self.name = name
        self.wanted = wanted

    def __str__(self) -> str:
        told = self.detail if not self.wanted else f"{self.detail.removesuffix('.')}: {self.wanted}."
        return told if self.name is None else f"{self.name}: {told}"


class NoSuchAttribute(AttributeRefused):
    code = "attribute_unknown"
    detail = "Accounts have no attribute of this name here."


class AttributeInvalid(AttributeRefused):
    code = "attribute_invalid"
    detail = "An attribute does not have the kind, length or choice that is registered for it."


class AttributeProtected(AttributeRefused):
    code = "attribute_protected"
    detail = "Only administrators write this attribute."


class NoSuchErasure(Refused):
    code = "erasure_not_found"
    detail = "No erasure of such an account is known, or none is over."


class NoErasureAsked(Refused):
    code = "erasure_not_asked"
    detail = "No erasure of this account was asked for, or it has begun."
