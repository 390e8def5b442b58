"""What HTTP itself can get wrong, in the same tree as every other refusal."""

from collections.abc import Sequence

from msgspec import Struct

from domain.errors import Refused


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong with a request. `pointer` is a JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter."""

    pointer: str
    code: str
    detail: str


class ValidationFailed(Refused):
    code = "validation_failed"
    detail = "The request does not have the shape asked for."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


class NoSuchRoute(Refused):
    code = "not_found"
    detail = "There is nothing at this address."


class MethodNotAllowed(Refused):
    code = "method_not_allowed"
    detail = "This address does not answer to this method."

    def __init__(self, allow: str) -> None:
        super().__init__()
        self.allow = allow


class MalformedBody(Refused):
    code = "malformed_body"
    detail = "The body is not JSON in UTF-8."


class NameRepeated(Refused):
    code = "name_repeated"
    detail = "An object in the body has the same name twice."


class FormInvalid(Refused):
    code = "invalid_request"
    detail = "The body is not a form of known parameters in UTF-8, each at most once."


class UnsupportedGrantType(Refused):
    """RFC 6749 5.2."""

    code = "unsupported_grant_type"
    detail = "The only grant there is here is client_credentials."


class BodyTooDeep(Refused):
    code = "body_too_deep"
    detail = "The body nests deeper than 32 levels."


class BodyTooLarge(Refused):
    code = "body_too_large"
    detail = "The body is larger than 64 KiB."


class BodyTooSlow(Refused):
    code = "body_too_slow"
    detail = "The body did not arrive in time."


class UnsupportedMediaType(Refused):
    code = "unsupported_media_type"
    detail = "A body has to be sent as Content-Type: application/json, uncompressed."
    accept = b"application/json"


class FormExpected(Refused):
    """What UnsupportedMediaType is where forms are taken."""

    code = "form_expected"
    detail = "A body has to be sent as Content-Type: application/x-www-form-urlencoded, uncompressed."
    accept = b"application/x-www-form-urlencoded"


class HeaderInvalid(Refused):
    code = "header_invalid"
    detail = "A header field is repeated, or has characters that are not allowed in it."


class HeadersTooLarge(Refused):
    code = "headers_too_large"
    detail = "The header fields are larger than 32 KiB together."


class AddressTooLong(Refused):
    code = "address_too_long"
    detail = "The address is longer than 32 KiB."


class HostNotAllowed(Refused):
    code = "host_not_allowed"
    detail = "This service does not answer under this host name."


class AuthenticationRequired(Refused):
    code = "authentication_required"
    detail = "This needs a bearer token."


class AudienceUnnamed(Refused):
    """What a gateway is told that does not say whom it asks for (threats.md 7)."""

    code = "audience_unnamed"
    detail = "Say which audience the credential has to be for: ?audience=<name>."


class IdentityTooLong(Refused):
    """Nothing of it is left out: a service that is told of fewer rights than there are is wrong, and does not know."""

    code = "identity_too_long"
    detail = "The roles and permissions at this audience are more than fit into a header field of 8,192 characters."


class BadRequest(Refused):
    code = "bad_request"
    detail = "The request could not be understood."


class RateLimited(Refused):
    code = "rate_limited"
    detail = "Too many requests of this kind; wait for as long as Retry-After says."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class Starting(Refused):
    code = "starting"
    detail = "The service is starting; try again shortly."


class InternalError(Refused):
    """The one answer to what should never happen; the log has the rest under the request's id."""

    code = "internal_error"
    detail = "Something went wrong here. It was recorded under the id of this request."
