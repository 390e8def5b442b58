"""The shapes in the API's description, from the very types that decode requests and encode answers."""

from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from api.oauth_errors import OAuthError
from api.problems import Problem

REF = "#/components/schemas/{name}"
_PYTHON_END = "$(?!\\n)"
"""What `$` means elsewhere: the very end, not the end or before a last line break."""


class Shapes:
    """Schemas of every type a set of handlers takes and gives."""

    def __init__(self, handlers: Iterable[HTTPRouteHandler]) -> None:
        self._types: list[Any] = [Problem, OAuthError]
        for handler in handlers:
            self._types += [*_bodies(handler), *_answers(handler)]
        unique = {repr(one): one for one in self._types}
        self._names = list(unique)
        schemas, components = msgspec.json.schema_components(unique.values(), ref_template=REF)
        self._schemas = dict(zip(self._names, (cleaned(schema) for schema in schemas), strict=True))
        self.components: dict[str, Any] = {plain(name): cleaned(schema) for name, schema in components.items()}
        for schema in self.components.values():
            schema.pop("title", None)

    def body(self, handler: HTTPRouteHandler) -> dict[str, Any] | None:
        found = _bodies(handler)
        return self._schemas[repr(found[0])] if found else None

    def answer(self, handler: HTTPRouteHandler) -> dict[str, Any] | None:
        found = [self._schemas[repr(one)] for one in _answers(handler)]
        return {"oneOf": found} if len(found) > 1 else next(iter(found), None)


def _bodies(handler: HTTPRouteHandler) -> list[Any]:
    """A form is not the framework's to read: the handler says which it takes."""
    field = handler.parsed_data_field
    return [handler.opt["form"]] if "form" in handler.opt else [] if field is None else [field.annotation]


def _answers(handler: HTTPRouteHandler) -> list[Any]:
    given = handler.parsed_fn_signature.return_type.annotation
    if get_origin(given) is Response:
        (given,) = get_args(given)
    if given is bytes:
        given = handler.opt.get("answers")
    parts = get_args(given) if get_origin(given) in {Union, UnionType} else (given,)
    return [part for part in parts if part is not None and part is not type(None)]


def cleaned(schema: Any) -> Any:
    """Take away what only Python needs, and names with brackets, which a reference cannot hold."""
    match schema:
        case [*parts]:
            return [cleaned(part) for part in parts]
        case dict():
            return _cleaned_members(cast("dict[str, Any]", schema))  # JSON has no other keys
        case _:
            return schema


def _cleaned_members(schema: dict[str, Any]) -> dict[str, Any]:
    found = {key: cleaned(value) for key, value in schema.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = found["pattern"].replace(_PYTHON_END, "$")
    if isinstance(found.get("$ref"), str):
        found["$ref"] = plain(found["$ref"])
    return found


def plain(name: str) -> str:
    """Of two types with one name the modules tell them apart; not every reader takes the dots."""
    return name.replace("[", "Of").replace("]", "").replace("_Of", "Of").replace(".", "_")
