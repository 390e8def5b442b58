"""What is wrong with a value, and what would be right: in our words, which never repeat what was sent."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect

from api.refusals import Fault

_MESSAGE = re.compile(r"(?P<words>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
"""msgspec's: what is wrong, and where. A choice that is none stands in it as it was sent, with whatever it says."""
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+|\.\.\.)\]")
_BOUND = re.compile(r"Expected `(?P<of>\w+)`(?P<length> of length)? (?P<side>[<>])= (?P<bound>-?[\d.]+)")
_TYPES = re.compile(r"Expected `(?P<asked>[\w |]+)`, got `[\w |]+`")
_UNITS = {"str": "character", "array": "item", "object": "member", "bytes": "byte"}
_JSON = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "datetime": "RFC 3339 time"}
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("Invalid UUID", "invalid", "Not a UUID."),
    ("Invalid RFC3339", "invalid", "Not an RFC 3339 time."),
    ("Object missing required", "missing", "Required."),
    ("Object contains unknown field", "unknown_field", "There is no such field here."),
    ("Integer value out of range", "out_of_range", "Larger than it may be."),
    ("Expected `", "wrong_type", "Of another type than asked for."),
)


def fault(message: str, kind: Any, pointer: str = "") -> Fault:
    """Make a fault of msgspec's words about a value that was to be of this kind, a type."""
    match = _MESSAGE.fullmatch(message)
    words, path = (message, None) if match is None else match.group("words", "path")
    steps = [field or index for field, index in _STEP.findall(path or "")]
    if pointer.startswith("?"):  # in an address null cannot be written
        words = words.replace(" | null`", "`")
    code, detail = _told(words, kind, steps)
    return Fault(pointer="/".join((pointer, *steps)), code=code, detail=detail)


def _told(words: str, kind: Any, steps: Iterable[str]) -> tuple[str, str]:
    if words.startswith("Invalid enum value"):
        choices = ", ".join(_choices(kind, steps))
        return "not_a_choice", f"One of: {choices}." if choices else "Not one of the values accepted."
    if words.startswith("Expected `str` matching regex"):
        return "pattern", f"Not of the form asked for: {' or '.join(_patterns(kind, steps))}"
    if bound := _BOUND.match(words):
        return _beyond(bound)
    if types := _TYPES.fullmatch(words):
        asked = " or ".join(_JSON.get(each, each) for each in types["asked"].split(" | "))
        return "wrong_type", f"Of another type than asked for: {asked}."
    return next(((code, told) for begin, code, told in _KINDS if words.startswith(begin)), ("invalid", "Not acceptable."))


def _beyond(bound: re.Match[str]) -> tuple[str, str]:
    few = bound["side"] == ">"
    told = f"{'At least' if few else 'At most'} {bound['bound']}"
    if not bound["length"]:
        return "out_of_range", f"{told}."
    unit = _UNITS.get(bound["of"], "item") + ("" if bound["bound"] == "1" else "s")
    return "too_short" if few else "too_long", f"{told} {unit}."


def _choices(kind: Any, steps: Iterable[str]) -> Iterator[str]:
    for each in _at(kind, steps):
        match each:
            case inspect.EnumType():
                yield from (str(choice.value) for choice in each.cls)
            case inspect.LiteralType():
                yield from map(str, each.values)
            case _:
                pass


def _patterns(kind: Any, steps: Iterable[str]) -> Iterator[str]:
    found = (each.pattern for each in _at(kind, steps) if isinstance(each, inspect.StrType) and each.pattern)
    return (pattern.replace(r"(?!\n)", "") for pattern in found)


def _at(kind: Any, steps: Iterable[str]) -> list[inspect.Type]:
    """Give what a value may be, at the end of a path into a type."""
    found = list(_each(inspect.type_info(kind)))
    for step in steps:
        found = [inner for outer in found for entered in _into(outer, step) for inner in _each(entered)]
    return found


def _each(kind: inspect.Type) -> Iterator[inspect.Type]:
    match kind:
        case inspect.UnionType():
            yield from (inner for each in kind.types for inner in _each(each))
        case inspect.Metadata():
            yield from _each(kind.type)
        case _:
            yield kind


def _into(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    match kind:
        case inspect.StructType():
            yield from (field.type for field in kind.fields if field.encode_name == step)
        case inspect.VarTupleType() | inspect.ListType():
            yield kind.item_type
        case inspect.DictType():
            yield kind.value_type
        case _:
            pass
