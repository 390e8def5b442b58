"""Every refusal Minos can give: one tree, one public code each.

The HTTP status of each lives in `api/problems.py`; a test proves that table complete.
"""

from typing import ClassVar
from uuid import UUID


class Refused(Exception):
    """A wish that was understood and not granted. `code` is public and stable; `detail` tells an attacker nothing."""

    code: ClassVar[str] = "refused"
    detail: ClassVar[str] = "The request was refused."

    def __str__(self) -> str:
        return self.detail


class NoSuchUser(Refused):
    code = "user_not_found"
    detail = "There is no such user."


class NoSuchSession(Refused):
    code = "session_not_found"
    detail = "There is no such session."


class NoSuchRole(Refused):
    code = "role_not_found"
    detail = "There is no such role."


class NoSuchSigningKey(Refused):
    code = "signing_key_not_found"
    detail = "There is no such signing key."


class NoSuchServiceAccount(Refused):
    code = "service_account_not_found"
    detail = "There is no such service account."


class NoSuchApiKey(Refused):
    code = "api_key_not_found"
    detail = "There is no such API key."


class ApiKeyEnded(Refused):
    code = "api_key_ended"
    detail = "The API key was revoked, or has expired."


class KeyLifeTooLong(Refused):
    code = "key_life_too_long"
    detail = "No API key may live so long here."


class UnusableKey(Refused):
    code = "unusable_key"
    detail = "This is no public key that its algorithm can be used with, or one that is too weak."


class InvalidClient(Refused):
    """RFC 6749 5.2."""

    code = "invalid_client"
    detail = "The client is unknown, or has not proved who it is."


class UnsupportedTokenType(Refused):
    """RFC 7009 2.2.1."""

    code = "unsupported_token_type"
    detail = "A person's access token is not revoked by itself: end its session."


class InvalidScope(Refused):
    """RFC 6749 5.2."""

    code = "invalid_scope"
    detail = "The scope is malformed, or more than this client has for this audience."


class NoSuchAudience(Refused):
    code = "audience_not_found"
    detail = "There is no such audience."


class AudienceExists(Refused):
    code = "audience_exists"
    detail = "An audience of this name exists, or existed."


class AudienceProtected(Refused):
    code = "audience_protected"
    detail = "The audience of Minos itself cannot be defined, changed or retired."


class ServicesOnly(Refused):
    code = "services_only"
    detail = "This audience is for services: no person may ask for a token for it."


class NoSuchToken(Refused):
    code = "token_not_found"
    detail = "There is no such service token."


class TooManyKeys(Refused):
    code = "too_many_keys"
    detail = "There are as many keys of this kind as there may be: take one away first."


class EmailTaken(Refused):
    code = "email_taken"
    detail = "This e-mail address already has an account."


class UsernameTaken(Refused):
    code = "username_taken"
    detail = "This username is taken."


class RoleExists(Refused):
    code = "role_exists"
    detail = "A role of this name exists, or existed."


class RoleProtected(Refused):
    code = "role_protected"
    detail = "Built-in roles cannot be changed or retired."


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


class InvalidCredentials(Refused):
    code = "invalid_credentials"
    detail = "The name or the password is wrong, or the account may not sign in now."


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


class SecondFactorRequired(Refused):
    code = "second_factor_required"
    detail = "This account has a second factor: show it, too."


class InvalidToken(Refused):
    code = "invalid_token"
    detail = "The access token is missing, malformed, expired, revoked or not meant for this service."


class InvalidRefreshToken(Refused):
    code = "invalid_refresh_token"
    detail = "The refresh token is not valid."


class RefreshTokenReused(Refused):
    code = "refresh_token_reused"
    detail = "The refresh token had already been replaced; its session has been ended."


class SessionEnded(Refused):
    code = "session_ended"
    detail = "The session has ended."


class ReauthenticationRequired(Refused):
    """The proof that the token at hand shows is older than `max_age` seconds, or worth less than `acr` (RFC 9470)."""

    code = "reauthentication_required"
    detail = "This needs a fresher or stronger proof of who is there: reauthenticate, and ask again with the token that gives."

    def __init__(self, max_age: int = 0, acr: str = "") -> None:
        super().__init__()
        self.max_age = max_age
        self.acr = acr


class ActionTokenInvalid(Refused):
    code = "action_token_invalid"
    detail = "The action token is not good for this: it is for another action, request or session, or too old."


class ActionTokenUsed(Refused):
    code = "action_token_used"
    detail = "The action token has been used."


class NoSuchAction(Refused):
    code = "action_not_found"
    detail = "There is no such action."


class ActionsExhausted(Refused):
    code = "actions_exhausted"
    detail = "An audience has 256 actions at most."


class SessionRequired(Refused):
    code = "session_required"
    detail = "This needs a person's session: an API key or a machine's token does not do."


class InvalidChallenge(Refused):
    code = "invalid_challenge"
    detail = "The challenge is not one of ours, too old, or was completed already: sign in again."


class ProofIncomplete(Refused):
    code = "proof_incomplete"
    detail = "A code goes with a code factor, an assertion with a passkey; and something has to be shown."


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
    detail = "There is no second factor on this account."


class NoSuchFactor(Refused):
    code = "factor_not_found"
    detail = "There is no such factor."


class TooManyFactors(Refused):
    code = "too_many_factors"
    detail = "This account has as many passkeys as are kept."


class AudienceNotAllowed(Refused):
    code = "audience_not_allowed"
    detail = "No token can be issued for this audience here."


class PermissionDenied(Refused):
    code = "permission_denied"
    detail = "You may not do this."


class RightsExceeded(Refused):
    code = "rights_exceeded"
    detail = "You cannot hand out, or act on someone who holds, rights you do not hold yourself."


class LastAdminProtected(Refused):
    code = "last_admin_protected"
    detail = "The last administrator cannot be demoted, suspended or removed."


class BootstrapClosed(Refused):
    code = "bootstrap_closed"
    detail = "The first administrator already exists."


class BootstrapCodeInvalid(Refused):
    code = "bootstrap_code_invalid"
    detail = "The bootstrap code is wrong, used up or expired."


class SigningKeyNotUsable(Refused):
    code = "signing_key_not_usable"
    detail = "The signing key is not in a stage that allows this."


class IdempotencyKeyReused(Refused):
    code = "idempotency_key_reused"
    detail = "This idempotency key was used for another request."


class IdempotencyKeyInvalid(Refused):
    code = "idempotency_key_invalid"
    detail = "An idempotency key has 22 to 255 printable ASCII characters."


class IdempotencyKeysExhausted(Refused):
    """The oldest key of a principal may go in a moment or in 72 hours: `retry_after`, in whole seconds, is a guess."""

    code = "idempotency_keys_exhausted"
    detail = "Too many idempotency keys of yours are kept already; each goes 72 hours after its use."
    retry_after: ClassVar[int] = 3_600


class AmbiguousCredentials(Refused):
    code = "ambiguous_credentials"
    detail = "The request carries more than one credential."


class CursorInvalid(Refused):
    code = "cursor_invalid"
    detail = "The cursor is not one of ours for this list."


class StreamVersionInvalid(Refused):
    code = "stream_version_invalid"
    detail = "Minos-Wait-For is not a token that was given to this caller."


class Contended(Refused):
    code = "contended"
    detail = "Too many changes to the same thing at once; try again."


class Overloaded(Refused):
    """Refused early because a queue is full; `retry_after` in whole seconds."""

    code = "overloaded"
    detail = "The service is busy; try again shortly."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class StoreUnavailable(Refused):
    code = "store_unavailable"
    detail = "A store this needs is away; try again shortly."


class TooManyWaiting(Refused):
    code = "too_many_waiting"
    detail = "Too many of your requests are waiting already."


class UnknownEventTag(Exception):
    """The log holds an event this code does not know. Never skipped: the reader stops."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"event tag {tag!r} is not known to this version")
        self.tag = tag


class LeafTooLarge(Exception):
    """An event is larger than an entry of the log may be. Payloads are capped well below this when they are appended."""

    def __init__(self, event_id: UUID, size: int) -> None:
        super().__init__(f"event {event_id} makes an entry of {size} bytes")
