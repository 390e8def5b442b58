"""From a refusal to an RFC 9457 problem: the one table of statuses, and how a problem is written."""

from http import HTTPStatus

import msgspec
from msgspec import UNSET, Struct, UnsetType

from api import refusals as http
from api.refusals import Fault
from domain import errors

CONTENT_TYPE = "application/problem+json"

STATUS: dict[type[errors.Refused], int] = {
    errors.NoSuchUser: 404,
    errors.NoSuchSession: 404,
    errors.NoSuchRole: 404,
    errors.NoSuchSigningKey: 404,
    errors.NoSuchServiceAccount: 404,
    errors.NoSuchToken: 404,
    errors.TokenUntraced: 404,
    errors.NoSuchApiKey: 404,
    errors.ApiKeyEnded: 409,
    errors.KeyLifeTooLong: 422,
    errors.UnusableKey: 422,
    errors.InvalidClient: 401,
    errors.UnsupportedTokenType: 400,
    errors.InvalidScope: 400,
    errors.NoSuchAudience: 404,
    errors.AudienceExists: 409,
    errors.AudienceProtected: 409,
    errors.TooManyKeys: 409,
    errors.EmailTaken: 409,
    errors.UsernameTaken: 409,
    errors.RoleExists: 409,
    errors.TooManyRoles: 409,
    errors.RoleProtected: 409,
    errors.InvalidEmail: 422,
    errors.InvalidUsername: 422,
    errors.PasswordUnacceptable: 422,
    errors.RegistrationClosed: 403,
    errors.InvalidCredentials: 401,
    errors.MailTokenInvalid: 400,
    errors.MailLimited: 429,
    errors.EmailAlreadyVerified: 409,
    errors.EmailNotVerified: 403,
    errors.NewPasswordRequired: 422,
    errors.NewPasswordNotTaken: 422,
    errors.AskerRequired: 422,
    errors.EmailChangedLately: 409,
    errors.SecondFactorRequired: 403,
    errors.StrongerFactorRequired: 401,
    errors.InvalidToken: 401,
    errors.InvalidRefreshToken: 401,
    errors.RefreshTokenReused: 401,
    errors.SessionEnded: 401,
    errors.ReauthenticationRequired: 401,
    errors.ActionTokenInvalid: 403,
    errors.ActionTokenUsed: 409,
    errors.NoSuchAction: 404,
    errors.UnfitVerifier: 422,
    errors.ActionsExhausted: 409,
    errors.SessionRequired: 403,
    errors.InvalidChallenge: 401,
    errors.InvalidFactor: 401,
    errors.ProofIncomplete: 401,
    errors.FactorPaused: 429,
    errors.FactorBlocked: 403,
    errors.FactorNotEnrolled: 409,
    errors.NoSuchFactor: 404,
    errors.TooManyFactors: 409,
    errors.AudienceNotAllowed: 403,
    errors.AudienceRequired: 403,
    errors.PermissionDenied: 403,
    errors.RightsExceeded: 403,
    errors.LastAdminProtected: 409,
    errors.RestoreTooLate: 409,
    errors.NoErasureAsked: 409,
    errors.NoSuchErasure: 404,
    errors.NoSuchAttribute: 422,
    errors.AttributeInvalid: 422,
    errors.AttributeProtected: 403,
    errors.NoSuchInvitation: 404,
    errors.InvitationOver: 409,
    errors.BootstrapClosed: 410,
    errors.BootstrapCodeInvalid: 403,
    errors.SigningKeyNotUsable: 409,
    errors.LoginNameRequired: 422,
    errors.IdempotencyKeyReused: 422,
    errors.SecretNotShownAgain: 409,
    errors.IdempotencyKeyInvalid: 400,
    errors.IdempotencyKeysExhausted: 429,
    errors.AmbiguousCredentials: 400,
    errors.CursorInvalid: 400,
    errors.StreamVersionInvalid: 400,
    errors.Contended: 503,
    errors.Overloaded: 503,
    errors.LogNotPublic: 404,
    errors.NoCheckpoint: 404,
    errors.NotWitnessed: 503,
    errors.NoSuchTile: 404,
    errors.TreeTooSmall: 409,
    errors.StoreUnavailable: 503,
    errors.TooManyWaiting: 429,
    errors.LogChanged: 409,
    errors.LogDetached: 410,
    errors.NoSuchEvent: 404,
    errors.NotYetProved: 409,
    errors.NoSuchPosition: 404,
    http.ValidationFailed: 422,
    http.NoSuchRoute: 404,
    http.MethodNotAllowed: 405,
    http.MalformedBody: 400,
    http.NameRepeated: 400,
    http.FormInvalid: 400,
    http.UnsupportedGrantType: 400,
    http.BodyTooDeep: 400,
    http.BodyTooLarge: 413,
    http.BodyTooSlow: 408,
    http.UnsupportedMediaType: 415,
    http.FormExpected: 415,
    http.HeaderInvalid: 400,
    http.HeadersTooLarge: 431,
    http.AddressTooLong: 414,
    http.HostNotAllowed: 421,
    http.AuthenticationRequired: 401,
    http.AudienceUnnamed: 400,
    http.IdentityTooLong: 403,
    http.BadRequest: 400,
    http.RateLimited: 429,
    http.Starting: 503,
    http.InternalError: 500,
}

POINTERS: dict[type[errors.Refused], str] = {
    errors.InvalidEmail: "/email",
    errors.InvalidUsername: "/username",
    errors.NoSuchAttribute: "/attributes",
    errors.AttributeInvalid: "/attributes",
    errors.AttributeProtected: "/attributes",
    errors.PasswordUnacceptable: "/password",
    errors.UnfitVerifier: "/verifiers",
}
"""Refusals of the domain that are about one field of the body."""

_BASIC = b'Basic realm="minos", charset="UTF-8"'
_NO_TOKEN = b'Bearer realm="minos"'
_BAD_TOKEN = b'Bearer realm="minos", error="invalid_token", error_description="The access token is not valid here."'
_TOO_OLD = b'Bearer realm="minos", error="insufficient_user_authentication", error_description="%s", max_age="%d", acr_values="%s"'
"""RFC 9470 3."""
_FRESHER = b"A fresher or stronger proof is needed."
_TOO_NARROW = b'Bearer realm="minos", error="insufficient_scope"'
_BY_STATUS: dict[int, tuple[tuple[bytes, bytes], ...]] = {
    401: ((b"www-authenticate", _NO_TOKEN),),
    408: ((b"connection", b"close"),),
    413: ((b"connection", b"close"),),
    429: ((b"retry-after", b"1"),),
    503: ((b"retry-after", b"1"),),
}


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457, with a stable `code`; `errors` says what is wrong with which part of the request."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[Fault, ...] | UnsetType = UNSET


class Answer(Struct, frozen=True):
    """A whole HTTP answer, ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def status_of(refused: errors.Refused) -> int:
    return STATUS[type(refused)]


def problem(refused: errors.Refused, *, password_pointer: str | None = None) -> Problem:
    status = status_of(refused)
    return Problem(
        type=f"/docs/problems#{refused.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=refused.code,
        detail=str(refused),
        errors=_faults(refused, password_pointer),
    )


def answer(refused: errors.Refused, *, password_pointer: str | None = None) -> Answer:
    """Write the problem, with the header fields its status asks for (RFC 6750 3, RFC 9110 10.2.1 and 10.2.3)."""
    body = msgspec.json.encode(problem(refused, password_pointer=password_pointer))
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", b"%d" % len(body)), *told_by_status(refused)]
    return Answer(status_of(refused), headers, body)


def told_by_status(refused: errors.Refused) -> list[tuple[bytes, bytes]]:
    match refused:
        case errors.InvalidClient():
            return [(b"www-authenticate", _BASIC)]
        case errors.InvalidToken() | errors.SessionEnded():
            return [(b"www-authenticate", _BAD_TOKEN)]
        case errors.ReauthenticationRequired():
            return [(b"www-authenticate", _TOO_OLD % (_FRESHER, refused.max_age, refused.acr.encode()))]
        case errors.PermissionDenied():
            return [(b"www-authenticate", _TOO_NARROW)]
        case errors.Overloaded() | errors.MailLimited() | errors.IdempotencyKeysExhausted() | errors.FactorPaused() | http.RateLimited():
            return [(b"retry-after", b"%d" % refused.retry_after)]
        case http.MethodNotAllowed():
            return [(b"allow", refused.allow.encode("ascii"))]
        case http.UnsupportedMediaType() | http.FormExpected():
            return [(b"accept", refused.accept)]
        case _:
            return list(_BY_STATUS.get(status_of(refused), ()))


def _faults(refused: errors.Refused, password_pointer: str | None) -> tuple[Fault, ...] | UnsetType:
    if isinstance(refused, http.ValidationFailed):
        return refused.faults
    pointer = POINTERS.get(type(refused))
    if pointer is None:
        return UNSET
    if password_pointer is not None and isinstance(refused, errors.PasswordUnacceptable):
        pointer = password_pointer
    if isinstance(refused, errors.AttributeRefused) and refused.name is not None:
        pointer = f"{pointer}/{refused.name}"
    return (Fault(pointer=pointer, code=refused.code, detail=str(refused)),)
