"""Why a credential is not accepted, or cannot be judged now. Each error knows its HTTP status, its public code and its challenge."""

from typing import ClassVar


class MinosError(Exception):
    """Base of all that this package raises on purpose.

    `status` is the HTTP answer it stands for, `code` the public name that clients may rely on. `str(error)` is for people, says
    nothing about the credential, and may be sent to whoever asked.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    message: ClassVar[str] = "Something is wrong here."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)

    def challenge(self) -> str | None:
        """Give the value of `WWW-Authenticate`, or None where the answer has none."""
        return None

    @property
    def retry_after(self) -> int | None:
        """Seconds after which asking again makes sense, for `Retry-After`; None where it does not."""
        return None


class Unauthenticated(MinosError):
    """No credential came with the request. RFC 6750 3.1: the challenge then names no error."""

    status = 401
    code = "authentication_required"
    message = "This needs a credential."

    def challenge(self) -> str | None:
        return "Bearer"


class InvalidToken(MinosError):
    """The credential is not good here, whatever the reason: callers learn no more than that."""

    status = 401
    code = "invalid_token"
    message = "The credential is not valid here."

    def __init__(self, message: str | None = None, *, reason: str = "invalid") -> None:
        """`reason`: a word for metrics and logs, which whoever sent the credential never sees."""
        super().__init__(message)
        self.reason = reason

    def challenge(self) -> str | None:
        return f'Bearer error="invalid_token", error_description="{self.message}"'


class ExpiredToken(InvalidToken):
    """A genuine token whose time is over: a client that holds a refresh token uses it now."""

    code = "token_expired"
    message = "The token has expired."


class Revoked(InvalidToken):
    """A genuine token, in its time, that was taken back: its session, person, client or key is over, or it itself is."""

    code = "token_revoked"
    message = "The token was revoked."


class Forbidden(MinosError):
    """The credential is good, and what was asked for is not its holder's to do."""

    status = 403
    code = "permission_denied"
    message = "This is not allowed."

    def challenge(self) -> str | None:
        return f'Bearer error="insufficient_scope", error_description="{self.message}"'


class Unavailable(MinosError):
    """The credential cannot be judged now: neither good nor bad, and never let through."""

    status = 503
    code = "unavailable"
    message = "Credentials cannot be judged at the moment."

    @property
    def retry_after(self) -> int | None:
        return 2


class Blind(Unavailable):
    """It is not known what was revoked lately, and the policy asks for knowing."""

    code = "revocations_unknown"
    message = "It is not known at the moment which credentials were revoked."


class KeysUnavailable(Unavailable):
    """The issuer's public keys are not there, or too old to be trusted."""

    code = "keys_unavailable"
    message = "The issuer's keys cannot be read at the moment."
