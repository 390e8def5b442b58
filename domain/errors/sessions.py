"""Refusals about signing in, sessions, their tokens and action tokens."""

from domain.errors.refused import Refused


class InvalidCredentials(Refused):
    code = "invalid_credentials"
    detail = "The name or the password is wrong, or the account may not sign in now."


class InvalidToken(Refused):
    code = "invalid_token"
    detail = "The access token is missing, malformed, expired, revoked or not meant for this service."


class InvalidRefreshToken(Refused):
    code = "invalid_refresh_token"
    detail = "The refresh token is not valid."


class RefreshTokenReused(Refused):
    code = "refresh_token_reused"
    detail = "The refresh token had already been replaced; its session has been ended."


class NoSuchSession(Refused):
    code = "session_not_found"
    detail = "There is no such session."


class SessionEnded(Refused):
    code = "session_ended"
    detail = "The session has ended."


class SessionRequired(Refused):
    code = "session_required"
    detail = "This needs a person's session: an API key or a machine's token does not do."


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
