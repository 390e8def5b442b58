"""What a route may refuse with, for the API's own description; and how refusals become answers inside the framework."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeAlias

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.typing import FieldDefinition
from msgspec import Meta

from api import oauth_errors, problems, refusals
from api.exchange import exchange_of
from api.faults import fault
from api.oauth_errors import OAuthError
from api.problems import Problem
from api.refusals import BadRequest, Fault, InternalError, MethodNotAllowed, NoSuchRoute, ValidationFailed
from domain.errors import AmbiguousCredentials, Refused, StoreUnavailable

_LEFT_OUT = re.compile(r"Missing required query parameter '(\w+)' for ")
_OF_ANY: tuple[type[Refused], ...] = (
    AmbiguousCredentials, refusals.HeaderInvalid, refusals.BadRequest, refusals.HostNotAllowed, refusals.AddressTooLong,
    refusals.HeadersTooLarge, refusals.MalformedBody, refusals.BodyTooDeep, refusals.BodyTooLarge, refusals.BodyTooSlow,
    refusals.FormExpected, refusals.RateLimited, refusals.Starting, StoreUnavailable,
)  # fmt: skip
"""What any OAuth endpoint may answer."""


def refuses(*kinds: type[Refused]) -> dict[int, ResponseSpec]:
    """Describe the problems of a route, by status; every code that can come is named."""
    by_status: dict[int, list[type[Refused]]] = {}
    for kind in kinds:
        by_status.setdefault(problems.STATUS[kind], []).append(kind)
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=_told(kinds), media_type=problems.CONTENT_TYPE)
        for status, kinds in sorted(by_status.items())
    }


def oauth_refuses(*kinds: type[Refused]) -> dict[int, ResponseSpec]:
    """Describe the refusals of an OAuth endpoint, by status, under their own names."""
    by_status: dict[int, list[type[Refused]]] = {}
    for kind in (*kinds, *_OF_ANY):
        by_status.setdefault(oauth_errors.named(kind)[0], []).append(kind)
    return {
        status: ResponseSpec(OAuthError, generate_examples=False, description=_named(kinds), media_type="application/json")
        for status, kinds in sorted(by_status.items())
    }


def _named(kinds: Iterable[type[Refused]]) -> str:
    return "\n\n".join(f"`{oauth_errors.named(kind)[1]}`: {kind.detail}" for kind in kinds)


def _told(kinds: Iterable[type[Refused]]) -> str:
    return "\n\n".join(f"`{kind.code}`: {kind.detail}" for kind in kinds)


def as_refusal(error: Exception, handler: HTTPRouteHandler | None) -> Refused:
    """Translate what the framework raises for bad requests; whatever else it is has no words for strangers."""
    match error:
        case Refused():
            return error
        case NotFoundException():
            return NoSuchRoute()
        case MethodNotAllowedException():
            return MethodNotAllowed(_allowed(error))
        case ValidationException():
            return ValidationFailed(_faults(error.extra, handler) or _left_out(error.detail))
        case HTTPException() if error.status_code < 500:
            return BadRequest()
        case _:
            return InternalError()


def _allowed(error: HTTPException) -> str:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    methods = {method.strip() for method in headers.get("allow", "").split(",") if method}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _faults(extra: Any, handler: HTTPRouteHandler | None) -> list[Fault]:
    """Only parameters of the address come this way: bodies are decoded by ourselves."""
    kinds = {} if handler is None else {name: _kind(each) for name, each in handler.parsed_fn_signature.parameters.items()}
    faults = ((str(part.get("message", "")), str(part.get("key", ""))) for part in extra or ())
    return [fault(message, kinds.get(name, Any), f"?{name}") for message, name in faults]


def _left_out(words: str) -> list[Fault]:
    """The framework names a parameter that has to be there in its words alone, before the address."""
    named = _LEFT_OUT.match(words)
    return [] if named is None else [Fault(pointer=f"?{named[1]}", code="missing", detail="Required.")]


def _kind(parameter: FieldDefinition) -> Any:
    """Give a parameter's type; a pattern stands beside it, where only the framework sees it."""
    pattern = getattr(parameter.kwarg_definition, "pattern", None)
    return parameter.raw if pattern is None else Annotated[str, Meta(pattern=pattern)]


def answer_refusal(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    found: dict[str, Any] = {**request.scope}
    handler = found.get("route_handler")  # none where no route was found
    refused = as_refusal(error, handler if isinstance(handler, HTTPRouteHandler) else None)
    exchange = exchange_of(request.scope)
    if isinstance(refused, InternalError):
        structlog.get_logger().error("request_failed", request_id=exchange.request_id, exc_info=error)
    exchange.code = refused.code
    pointer = handler.opt.get("password_pointer") if isinstance(handler, HTTPRouteHandler) else None
    oauth = oauth_errors.is_oauth(request.scope["path"])
    answer = oauth_errors.answer(refused) if oauth else problems.answer(refused, password_pointer=pointer)
    headers = {name.decode(): value.decode() for name, value in answer.headers if name not in {b"content-type", b"content-length"}}
    return Response(
        answer.body, status_code=answer.status, headers=headers, media_type="application/json" if oauth else problems.CONTENT_TYPE
    )


Handler: TypeAlias = Callable[[Request[Any, Any, Any], Any], Response[bytes]]
HANDLERS: dict[int | type[Exception], Handler] = dict.fromkeys((Refused, HTTPException, Exception), answer_refusal)
