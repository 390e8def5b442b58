"""Refusals about audiences, service accounts, their tokens and API keys."""

from collections.abc import Sequence

from domain.errors.refused import Refused


class NoSuchAudience(Refused):
    code = "audience_not_found"
    detail = "There is no such audience."


class AudienceExists(Refused):
    code = "audience_exists"
    detail = "An audience of this name exists, or existed."


class AudienceProtected(Refused):
    code = "audience_protected"
    detail = "The audiences `minos` and `nats` are built in: they cannot be defined, changed or retired."


class AudienceNotAllowed(Refused):
    code = "audience_not_allowed"
    detail = "No token can be issued for this audience here."


class AudienceRequired(AudienceNotAllowed):
    code = "audience_required"
    detail = "This service account has several audiences: name the one that the token is for."


class NoSuchServiceAccount(Refused):
    code = "service_account_not_found"
    detail = "There is no such service account."


class UnfitVerifier(Refused):
    """`clients` are of the form that ids of service accounts have."""

    code = "verifier_unfit"
    detail = "A verifier has to be a service account that may ask for this audience."

    def __init__(self, clients: Sequence[str] = ()) -> None:
        super().__init__()
        self.clients = tuple(clients)

    def __str__(self) -> str:
        return " ".join((self.detail, *([f"Not so: {', '.join(self.clients)}."] if self.clients else [])))


class SecretNotShownAgain(Refused):
    code = "secret_not_shown_again"
    detail = "This was done with this Idempotency-Key before, and its secret is not shown any more. Ask for a new one."


class NoSuchToken(Refused):
    code = "token_not_found"
    detail = "There is no such service token."


class TokenUntraced(Refused):
    code = "token_untraced"
    detail = "The log does not say where this token comes from: a machine's short one, one of an earlier form, or none of Minos's."


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


class NoSuchApiKey(Refused):
    code = "api_key_not_found"
    detail = "There is no such API key."


class ApiKeyEnded(Refused):
    code = "api_key_ended"
    detail = "The API key was revoked, or has expired."


class KeyLifeTooLong(Refused):
    code = "key_life_too_long"
    detail = "No API key may live so long here."


class TooManyKeys(Refused):
    code = "too_many_keys"
    detail = "There are as many keys of this kind as there may be: take one away first."


class UnusableKey(Refused):
    code = "unusable_key"
    detail = "This is no public key that its algorithm can be used with, or one that is too weak."


class NoSuchSigningKey(Refused):
    code = "signing_key_not_found"
    detail = "There is no such signing key."


class SigningKeyNotUsable(Refused):
    code = "signing_key_not_usable"
    detail = "The signing key is not in a stage that allows this."
