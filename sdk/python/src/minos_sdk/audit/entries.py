"""Entries: one event each, as canonical JSON (the part of RFC 8785 that needs no floating point)."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, cast

LONGEST = 65_535
_FIELDS = frozenset(
    ("actor", "causation", "command", "correlation", "event_id", "key_id", "payload", "recorded_at", "session", "stream", "type", "v")
) | {"version"}
_LARGE = re.compile(rb"[:\[,]-?(?:9[0-9]{15}|[0-9]{17})")
"""May be beyond 2**53: such an entry is looked at number by number."""
_EXACT = 2**53
_LAST_VERSION = 2**31 - 1


class BrokenEntry(ValueError):
    """The message says in what an entry is not of the format."""


class Place(NamedTuple):
    """Of which stream an event is, and the how-manieth there."""

    stream: str
    version: int
    type: str


def split(tile: bytes, width: int) -> Sequence[bytes]:
    """Give the entries of a tile; one of no bytes was pruned. Raises BrokenEntry where the lengths do not add up, or there are more."""
    entries: list[bytes] = []
    at, end = 0, len(tile)
    while at < end:
        length = int.from_bytes(tile[at : at + 2])
        entries.append(tile[at + 2 : at + 2 + length])
        at += 2 + length
    if at != end or len(entries) > width:
        raise BrokenEntry(f"ends within an entry, or holds more than {width}")
    return entries


def place_of(entry: bytes) -> Place:
    """Read an entry, once it is found to be canonical and of the fields that version 1 has. Raises BrokenEntry."""
    read = _read(entry)
    if read.keys() != _FIELDS or read["v"] != 1 or not isinstance(read["payload"], dict):
        raise BrokenEntry("its members are not those of an entry of version 1")
    stream, version, kind = read["stream"], read["version"], read["type"]
    if not isinstance(stream, str) or not isinstance(kind, str) or type(version) is not int or not 1 <= version <= _LAST_VERSION:
        raise BrokenEntry("its stream, version or type is of another kind of value")
    return Place(stream, version, kind)


def _read(entry: bytes) -> dict[str, Any]:
    try:
        text = entry.decode()
        read: object = (_exactly if _LARGE.search(entry) else _decoder).decode(text)
        canonical = isinstance(read, dict) and _encode(read) == text
    except ValueError as error:
        raise BrokenEntry(f"it is no canonical JSON: {error}") from None
    except RecursionError:
        raise BrokenEntry("it is JSON in more layers than an event has") from None
    if not canonical:
        raise BrokenEntry("it is JSON, and not canonical")
    return cast("dict[str, Any]", read)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _number(text: str) -> int:
    value = int(text)
    if abs(value) > _EXACT:
        raise ValueError(f"{text} is beyond 2**53")
    return value


_decoder = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
_exactly = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_number)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
