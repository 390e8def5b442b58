"""The API's own description (OpenAPI 3.1), made from the routes and from what is true of all of them."""

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Controller, Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.routes import HTTPRoute

from api import problems, refusals
from api.asking import Asking
from api.openapi_shapes import Shapes
from api.policy import POLICY, Access, Needs, action_of
from domain import errors
from domain.errors import Refused

VERSION = "0.1.0"
_METHODS = ("get", "put", "post", "patch", "delete")
_OAUTH_ERROR = {"$ref": "#/components/schemas/OAuthError"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_SHOWN_ONCE = frozenset({
    "makeMyApiKey", "rotateMyApiKey", "makeServiceApiKey", "rotateServiceApiKey", "createServiceAccount", "rotateClientSecret",
})  # fmt: skip
"""What may be repeated, and has a secret in its answer."""
_REPEATABLE = frozenset({"bootstrap", "register", "defineRole", "defineAudience"}) | _SHOWN_ONCE
_DONE = {"200": "Answered.", "201": "Made.", "204": "Done; the answer has no body."}
_REQUEST_ID = {
    "description": "Of this request; the one that was sent, where it has 1 to 64 letters, digits or ._~-.",
    "schema": {"type": "string"},
}

_ACTION_TOKEN = {
    "name": "X-Action-Token",
    "in": "header",
    "required": False,
    "description": "From `auth/action-tokens`, for this very call: in place of a fresh proof, once.",
    "schema": {"type": "string", "maxLength": 2048},
}
_TEXT, _NONE = {"type": "string"}, {"type": "null"}
# What types alone do not say.
_ONE_OR_SEVERAL = [
    {"required": ["permission"], "not": {"required": ["checks"]}},
    {"required": ["checks"], "not": {"required": ["permission"]}, "properties": {"audience": _NONE, "resource": _NONE}},
]
_ONE_NAME = [
    {"required": ["email"], "properties": {"email": _TEXT, "username": _NONE}},
    {"required": ["username"], "properties": {"username": _TEXT, "email": _NONE}},
]

_SECURITY: dict[Needs, list[dict[str, list[str]]]] = {Needs.NOTHING: [], Needs.CLIENT: [{"client": []}, {}]}
"""What is not a bearer token. A client may prove itself in the form as well, which no scheme describes."""

CONFIG = OpenAPIConfig(
    title="Minos",
    version=VERSION,
    summary="Who is who, who may do what, and proof of both.",
    description=(
        "JSON in and out, at most 64 KiB and 32 levels deep; unknown fields and repeated names are refused. Every refusal is a problem "
        "(RFC 9457) with a stable `code`. Times are RFC 3339 in UTC, ids are UUIDs. Lists are walked with `limit` and `cursor`."
    ),
    license=License(name="Apache-2.0", identifier="Apache-2.0"),
    components=Components(
        security_schemes={
            "bearer": SecurityScheme(
                type="http", scheme="bearer", bearer_format="JWT", description="An access token for Minos (RFC 9068, RFC 6750)."
            ),
            "client": SecurityScheme(type="http", scheme="basic", description="A service account's id and secret (RFC 6749 2.3.1)."),
        }
    ),
    render_plugins=[JsonRenderPlugin()],
)


async def document(routes: tuple[type[Controller], ...]) -> bytes:
    """Give the description as JSON. Made once, when somebody first asks, in a thread: it takes a while."""
    return await asyncio.to_thread(_document, routes)


@lru_cache(maxsize=1)
def _document(routes: tuple[type[Controller], ...]) -> bytes:
    return msgspec.json.encode(described(routes))


@lru_cache(maxsize=1)
def described(routes: tuple[type[Controller], ...]) -> dict[str, Any]:
    apart = Litestar(list(routes), request_class=Asking, openapi_config=CONFIG, logging_config=None)
    # Through JSON, so that what follows works on plain dicts and lists of its own.
    whole: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(apart.openapi_schema.to_schema()))
    handlers = {
        handler.operation_id: handler
        for route in apart.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if isinstance(handler.operation_id, str)
    }
    shapes = Shapes(handlers.values())
    for item in whole["paths"].values():
        for method in _METHODS:
            if (operation := item.get(method)) is not None:
                _shape(operation, handlers[operation["operationId"]], shapes)
                _complete(operation)
    whole["components"]["schemas"] = shapes.components
    whole["components"]["schemas"]["Asked"]["oneOf"] = _ONE_OR_SEVERAL
    whole["components"]["schemas"]["SignIn"]["oneOf"] = _ONE_NAME
    return whole


def _shape(operation: dict[str, Any], handler: HTTPRouteHandler, shapes: Shapes) -> None:
    """Put in the shapes that requests are held to and answers have."""
    if (body := shapes.body(handler)) is not None:
        name = body["$ref"].rsplit("/", 1)[-1]
        required = name == "Asked" or bool(shapes.components[name].get("required"))  # no body at all is an empty object
        kind = "application/x-www-form-urlencoded" if "form" in handler.opt else "application/json"
        operation["requestBody"] = {"required": required, "content": {kind: {"schema": body}}}
    _shape_answers(operation["responses"], handler, shapes.answer(handler))
    for parameter in operation.get("parameters", []):
        _simplify(parameter)
        if "items" in parameter["schema"]:
            parameter["schema"]["items"] = _items(handler, parameter["name"])


def _shape_answers(responses: dict[str, Any], handler: HTTPRouteHandler, answer: dict[str, Any] | None) -> None:
    for status, response in responses.items():
        if response["description"] == HTTPStatus(int(status)).description:  # the framework's own, such as "Document created, URL follows"
            response["description"] = _DONE.get(status, "")
        if status == "200" and "told" in handler.opt:
            response["headers"] = {name: {"description": what, "schema": _TEXT} for name, what in handler.opt["told"].items()}
        if problems.CONTENT_TYPE in response.get("content", {}):
            response["content"][problems.CONTENT_TYPE] = {"schema": _PROBLEM}
        elif "form" in handler.opt and int(status) >= 400:
            response["content"] = {"application/json": {"schema": _OAUTH_ERROR}}
        elif status == "200" and "content" in handler.opt:
            response["content"] = {handler.opt["content"]: {}}  # whose shape is no JSON Schema's to say
        elif status in {"204", "304"} or answer is None:
            response.pop("content", None)
        else:
            response["content"] = {"application/json": {"schema": answer}}


def _simplify(parameter: dict[str, Any]) -> None:
    """A parameter that may be left out is not one that may be null."""
    for key in ("deprecated", "allowEmptyValue", "allowReserved"):
        parameter.pop(key, None)
    schema: dict[str, Any] = parameter["schema"]
    schema.pop("description", None)
    some = [part for part in schema.pop("oneOf", []) if part.get("type") != "null"]
    for part in some:
        schema.update(part)
    if "pattern" in schema:
        schema["pattern"] = schema["pattern"].replace("$(?!\\n)", "$")
    for bound in ("minimum", "maximum"):
        if bound in schema:
            schema[bound] = int(schema[bound])


def _items(handler: HTTPRouteHandler, name: str) -> dict[str, Any]:
    """Give what each of several values has to be, which the framework leaves out."""
    several = next(
        part for part in msgspec.json.schema(handler.parsed_fn_signature.parameters[name].annotation)["anyOf"] if "items" in part
    )
    return {**several["items"], "pattern": several["items"]["pattern"].replace("$(?!\\n)", "$")}


def _complete(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    access = POLICY[name]
    operation.pop("deprecated", None)
    operation["security"] = _SECURITY.get(access.needs, [{"bearer": []}])
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), *_asked(access)]))
    if not operation["description"]:
        del operation["description"]
    if access.step_up is not None:
        operation["x-minos-step-up"] = {"max_age": access.step_up.max_age, "acr": access.step_up.acr, "action": f"minos:{action_of(name)}"}
    responses: dict[str, Any] = operation["responses"]
    if access.needs is not Needs.CLIENT:  # what an OAuth endpoint refuses, and how, is described where it is
        responses.pop("400", None) if _is_generated(responses.get("400")) else None
        for kinds in _general(access, operation, name).values():
            _add_problem(responses, kinds)
    for response in responses.values():
        response.setdefault("headers", {})["X-Request-Id"] = _REQUEST_ID
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    parameters.extend(_header_parameters(name, responses))
    if access.step_up is not None:
        parameters.append(_ACTION_TOKEN)
    if not parameters:
        del operation["parameters"]


def _asked(access: Access) -> Iterator[str]:
    """Say what the policy table asks of the caller beyond a token."""
    if access.permission is not None and access.parts:
        yield f"Needs the permission `{access.permission}`, or one below it: `{access.parts[0]}` and the like give a part."
    elif access.permission is not None:
        yield f"Needs the permission `{access.permission}`."
    if access.step_up is not None:
        yield f"Needs a proof of who is there that is no older than {access.step_up.max_age} seconds (`auth/reauthenticate`)."


def _is_generated(response: dict[str, Any] | None) -> bool:
    """Litestar adds a 400 of its own shape wherever there are parameters."""
    return response is not None and "application/problem+json" not in response.get("content", {})


def _general(access: Access, operation: dict[str, Any], name: str) -> dict[str, list[type[Refused]]]:
    """Problems that are not of one route: of its having a body, parameters, a caller, a store."""
    kinds: list[type[Refused]] = [
        refusals.HeaderInvalid, errors.AmbiguousCredentials, refusals.BadRequest, refusals.HostNotAllowed,
        refusals.AddressTooLong, refusals.HeadersTooLarge, refusals.RateLimited,
    ]  # fmt: skip
    if name not in {"healthLive", "healthReady", "healthStartup"}:
        kinds += [refusals.Starting, errors.StoreUnavailable]
    if "requestBody" in operation:
        kinds += [
            refusals.MalformedBody, refusals.NameRepeated, refusals.BodyTooDeep, refusals.BodyTooLarge,
            refusals.BodyTooSlow, refusals.UnsupportedMediaType, refusals.ValidationFailed,
        ]  # fmt: skip
    kinds.append(refusals.ValidationFailed)
    kinds += _of_repeating(access, name)
    if "{" in operation.get("path", "{"):
        kinds.append(refusals.NoSuchRoute)
    if not access.is_for_machines and access.needs is not Needs.NOTHING:
        kinds.append(errors.SessionRequired)
    if access.needs is not Needs.NOTHING:
        kinds += [refusals.AuthenticationRequired, errors.InvalidToken]
    if access.needs is Needs.PERMISSION:
        kinds.append(errors.StrongerFactorRequired)
    if access.step_up is not None:
        kinds += [errors.ReauthenticationRequired, errors.ActionTokenInvalid, errors.ActionTokenUsed]
    by_status: dict[str, list[type[Refused]]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(str(problems.STATUS[kind]), []).append(kind)
    return by_status


def _of_repeating(access: Access, name: str) -> list[type[Refused]]:
    kinds: list[type[Refused]] = []
    if name in _REPEATABLE:
        kinds += [errors.IdempotencyKeyInvalid, errors.IdempotencyKeyReused]
        if access.needs is not Needs.NOTHING:
            kinds.append(errors.IdempotencyKeysExhausted)
    if name in _SHOWN_ONCE:
        kinds.append(errors.SecretNotShownAgain)
    return kinds


def _add_problem(responses: dict[str, Any], kinds: list[type[Refused]]) -> None:
    status = str(problems.STATUS[kinds[0]])
    response = responses.setdefault(status, {"description": "", "content": {problems.CONTENT_TYPE: {"schema": _PROBLEM}}})
    content = response.setdefault("content", {})
    content.setdefault(problems.CONTENT_TYPE, {"schema": _PROBLEM})
    for kind in kinds:
        if f"`{kind.code}`" not in response["description"]:
            response["description"] = f"{response['description']}\n\n`{kind.code}`: {kind.detail}".strip()
    if status == "401":
        response.setdefault("headers", {})["WWW-Authenticate"] = {"schema": {"type": "string"}, "description": "RFC 6750, RFC 9470."}
    if status in {"429", "503"}:
        response.setdefault("headers", {})["Retry-After"] = {"schema": {"type": "integer"}, "description": "Whole seconds."}


def _header_parameters(name: str, responses: dict[str, Any]) -> list[dict[str, Any]]:
    wanted: list[dict[str, Any]] = []
    if name in _REPEATABLE:
        wanted.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Same key and same body: the first answer again, without doing it again. Keep it to yourself."
                + (" A secret is shown again for ten minutes, while it opens something." if name in _SHOWN_ONCE else ""),
                "schema": {"type": "string", "pattern": "^[!-~]{22,255}$"},
            }
        )
    if f"`{errors.StreamVersionInvalid.code}`" in responses.get("400", {}).get("description", ""):
        wanted.append(
            {
                "name": "Minos-Wait-For",
                "in": "header",
                "required": False,
                "description": "A `Minos-Stream-Version` of yours: waits at most 300 ms until the list shows that write.",
                "schema": {"type": "string", "maxLength": 2048},
            }
        )
        told = {"Minos-Position": "The log up to here is in the answer.", "Minos-Age-Ms": "Age of the oldest event that is not."}
        for header, description in told.items():
            responses["200"].setdefault("headers", {})[header] = {"schema": {"type": "integer"}, "description": description}
    return wanted
