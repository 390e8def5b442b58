"""Refusals of a request by the service that got it: two credentials, a rule not kept, an action token that is not good."""

from minos_sdk.codes import Code
from minos_sdk.errors import Forbidden, MinosError, Unavailable


class AmbiguousCredentials(MinosError):
    """RFC 6750 2: one credential in a request, in one way."""

    status = 400
    code = Code.AMBIGUOUS_CREDENTIALS
    message = "The request carries more than one credential."

    def challenge(self) -> str | None:
        return f'Bearer error="invalid_request", error_description="{self.message}"'


class PermissionDenied(Forbidden):
    """`asks` says in words what was asked for."""

    code = Code.PERMISSION_DENIED

    def __init__(self, asks: str | None = None) -> None:
        super().__init__(None if asks is None else f"This asks for {asks}.")


class RoleRequired(PermissionDenied):
    code = Code.ROLE_REQUIRED


class ScopeRequired(PermissionDenied):
    code = Code.SCOPE_REQUIRED


class ServiceRequired(PermissionDenied):
    code = Code.SERVICE_REQUIRED


class StepUpRequired(MinosError):
    """RFC 9470 3: who it is is known, and the proof is too old or too weak for this."""

    status = 401
    code = Code.REAUTHENTICATION_REQUIRED
    message = "A fresher or stronger proof is needed."

    def __init__(self, *, max_age: int | None = None, acr: str | None = None) -> None:
        super().__init__()
        self.max_age = max_age
        self.acr = acr

    def challenge(self) -> str | None:
        asked = "" if self.max_age is None else f', max_age="{self.max_age}"'
        asked += "" if self.acr is None else f', acr_values="{self.acr}"'
        return f'Bearer error="insufficient_user_authentication", error_description="{self.message}"{asked}'


class ActionTokenRequired(Forbidden):
    code = Code.ACTION_TOKEN_REQUIRED
    message = "This asks for an action token."


class ActionTokenInvalid(Forbidden):
    code = Code.ACTION_TOKEN_INVALID
    message = "The action token is not good for this: it is for another action, request or session, or too old."


class ActionTokenUsed(Forbidden):
    """A token works once, and this is no second chance for an answer that got lost."""

    status = 409
    code = Code.ACTION_TOKEN_USED
    message = "The action token has been used."

    def challenge(self) -> str | None:
        return None


class CredentialUnknown(Unavailable):
    """Minos did not say whether an API key or an action token is good."""

    code = Code.CREDENTIAL_UNKNOWN
    message = "Whether this credential is good cannot be found out at the moment."
