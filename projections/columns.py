"""A row type as columns: what goes into the database for it and how it comes back.

The driver speaks UUIDs, times, numbers, texts and lists of texts itself. Ciphertext is kept as one MessagePack value in
a `bytea` column, closed as it came in the event.
"""

from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import TypeVar, get_args, get_type_hints

import asyncpg
import msgspec
from msgspec import Struct

from domain.event import Sealed

R = TypeVar("R", bound=Struct)

_to_msgpack = msgspec.msgpack.Encoder()
_sealed: msgspec.msgpack.Decoder[Sealed] = msgspec.msgpack.Decoder(Sealed)


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a row type's fields in order, and which of them hold ciphertext: by name and by place."""

    names: tuple[str, ...]
    sealed: frozenset[str]
    sealed_at: tuple[int, ...]


def columns_of(row_type: type[Struct]) -> Columns:
    hints = get_type_hints(row_type)
    sealed = {name for name, hint in hints.items() if hint is Sealed or (isinstance(hint, UnionType) and Sealed in get_args(hint))}
    names = row_type.__struct_fields__
    return Columns(names, frozenset(sealed), tuple(at for at, name in enumerate(names) if name in sealed))


def to_values(columns: Columns, row: Struct) -> tuple[object, ...]:
    """Give a row's values in column order, as the driver takes them."""
    values = msgspec.structs.astuple(row)
    there = [at for at in columns.sealed_at if isinstance(values[at], Sealed)]
    if not there:
        return values
    written = list(values)
    for at in there:
        written[at] = _to_msgpack.encode(values[at])
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
