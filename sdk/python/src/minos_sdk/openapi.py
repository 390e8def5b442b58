"""What the middleware does, in an OpenAPI document: which credentials are taken, and how a request is refused (RFC 9457)."""

from collections.abc import Callable, Mapping
from typing import Any

Document = dict[str, Any]
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_TEXT = {"type": "string"}
_PROBLEM: Document = {
    "title": "MinosProblem",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "code": _TEXT, "detail": _TEXT},
}
_REFUSALS = {
    "400": "More than one credential.",
    "401": "No credential, or one that is not good, not fresh or not strong enough here.",
    "403": "Not this caller's to do.",
    "503": "Whether the credential is good is not known at the moment.",
}


def describe(document: Document, schemes: Mapping[str, Document], is_exempt: Callable[[str], bool], *, required: bool) -> None:
    """Add to each operation that is not exempt what it does not say itself. Doing it twice changes nothing."""
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["MinosProblem"] = _PROBLEM
    parts.setdefault("securitySchemes", {}).update(schemes)
    parts.setdefault("responses", {}).update({_name(status): _refusal(status) for status in _REFUSALS})
    anyone: list[Document] = [] if required else [{}]
    for path, item in document.get("paths", {}).items():
        for operation in () if is_exempt(path) else (item[method] for method in _METHODS & item.keys()):
            operation.setdefault("security", [*anyone, *({name: []} for name in schemes)])
            for status in _REFUSALS:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{_name(status)}"})


def _name(status: str) -> str:
    return f"MinosRefusal{status}"


def _refusal(status: str) -> Document:
    schema = {"$ref": "#/components/schemas/MinosProblem"}
    return {"description": _REFUSALS[status], "content": {"application/problem+json": {"schema": schema}}}
