"""How OAuth endpoints refuse: the shape of RFC 6749 5.2, under the names that RFC and RFC 8707 give."""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from api import problems, refusals
from api.problems import Answer
from domain import errors
from domain.errors import Refused

PREFIX = "/oauth2/"

NAMES: dict[type[Refused], tuple[int, str]] = {
    errors.InvalidClient: (401, "invalid_client"),
    errors.UnsupportedTokenType: (400, "unsupported_token_type"),
    errors.InvalidScope: (400, "invalid_scope"),
    errors.AudienceNotAllowed: (400, "invalid_target"),
    errors.AudienceRequired: (400, "invalid_target"),
    errors.AmbiguousCredentials: (400, "invalid_request"),
    refusals.UnsupportedGrantType: (400, "unsupported_grant_type"),
    refusals.ValidationFailed: (400, "invalid_request"),
    errors.Contended: (503, "temporarily_unavailable"),
    errors.Overloaded: (503, "temporarily_unavailable"),
    errors.StoreUnavailable: (503, "temporarily_unavailable"),
    refusals.RateLimited: (429, "temporarily_unavailable"),
    refusals.Starting: (503, "temporarily_unavailable"),
    refusals.InternalError: (500, "server_error"),
}
"""What has a name of its own; everything else that is wrong with a request is `invalid_request`."""


class OAuthError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 6749 5.2."""

    error: str
    error_description: str | UnsetType = UNSET


def is_oauth(path: str) -> bool:
    return path.startswith(PREFIX)


def named(kind: type[Refused]) -> tuple[int, str]:
    """Give the status and the name a kind of refusal has at an OAuth endpoint."""
    return NAMES.get(kind) or (problems.STATUS[kind], "invalid_request")


def answer(refused: Refused) -> Answer:
    """Write the refusal, with the header fields that its problem would have."""
    status, name = named(type(refused))
    body = msgspec.json.encode(OAuthError(error=name, error_description=refused.detail))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *problems.told_by_status(refused)]
    return Answer(status, headers, body)
