"""A row type as columns: what goes into the database for it and how it comes back.

The driver speaks UUIDs, times, numbers, texts and lists of texts itself. Ciphertext is kept as one MessagePack value in
a `bytea` column, closed as it came in the event.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import asyncpg
import msgspec
from msgspec import Struct

from domain.event import Sealed

R = TypeVar("R", bound=Struct)

_to_msgpack = msgspec.msgpack.Encoder()
_sealed: msgspec.msgpack.Decoder[Sealed] = msgspec.msgpack.Decoder(Sealed)


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a row type's fields, and which of them hold ciphertext. `written`: by place those the driver has in another form."""

    names: tuple[str, ...]
    sealed: frozenset[str]
    written: tuple[tuple[int, Callable[[Any], object]], ...]


def columns_of(row_type: type[Struct], *, without: Iterable[str] = ()) -> Columns:
    left_out = frozenset(without)
    hints = {name: hint for name, hint in get_type_hints(row_type).items() if name not in left_out}
    sealed = frozenset(name for name, hint in hints.items() if hint is Sealed or (isinstance(hint, UnionType) and Sealed in get_args(hint)))
    forms: dict[str, Callable[[Any], object]] = dict.fromkeys(sealed, _to_msgpack.encode)
    forms |= {name: list for name, hint in hints.items() if get_origin(hint) is tuple}
    names = tuple(name for name in row_type.__struct_fields__ if name not in left_out)
    return Columns(names, sealed, tuple((at, forms[name]) for at, name in enumerate(names) if name in forms))


def to_values(columns: Columns, row: Struct) -> tuple[object, ...]:
    """Give a row's values in column order, as the driver takes them and gives them."""
    return as_written(columns, msgspec.structs.astuple(row))


def as_written(columns: Columns, values: tuple[object, ...]) -> tuple[object, ...]:
    """The same of the values."""
    others = [(at, form) for at, form in columns.written if values[at] is not None]
    if not others:
        return values
    written = list(values)
    for at, form in others:
        written[at] = form(values[at])
    return tuple(written)


def from_record(columns: Columns, row_type: type[R], record: asyncpg.Record) -> R:
    """Make a row of what the driver read; columns that are not the row's are passed over. Raises ValidationError."""
    values = dict(record.items())
    for name in columns.sealed:
        box = values[name]
        values[name] = None if box is None else _sealed.decode(box)
    return msgspec.convert(values, type=row_type)


def digest_values(columns: Columns, row: Struct) -> bytes:
    """Give bytes that are equal for equal rows."""
    return _to_msgpack.encode([value.isoformat() if isinstance(value, datetime) else value for value in to_values(columns, row)])
