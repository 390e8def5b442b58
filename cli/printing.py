"""How commands print data: JSON for programs, aligned columns for people."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec import Struct

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Would colour a terminal, or pretend to be another row."""


def print_rows(rows: Sequence[Struct], *, as_json: bool, empty: str = "nothing") -> None:
    """Print one line per row under the fields' names, those of what is in a field beside the others; or a JSON array."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(empty)
        return
    lines = [tuple(name.replace("_", " ") for name, _ in _fields(rows[0]))]
    lines += [tuple(_STEERING.sub("\ufffd", _shown(value)) for _, value in _fields(row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(value: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def _fields(row: Struct) -> Iterator[tuple[str, object]]:
    for name in row.__struct_fields__:
        value = getattr(row, name)
        yield from _fields(value) if isinstance(value, Struct) else [(name, value)]


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case dict():
            return msgspec.json.encode(value).decode()
        case tuple() | list():
            return ",".join(str(part) for part in cast("Sequence[Any]", value)) or "-"
        case _:
            return str(value)
