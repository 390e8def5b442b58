"""Entries: one event each, as canonical JSON (the part of RFC 8785 that needs no floating point)."""

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, NoReturn, cast

LONGEST = 65_535
_FIELDS = frozenset(
    ("actor", "causation", "command", "correlation", "event_id", "key_id", "payload", "recorded_at", "session", "stream", "type", "v")
) | {"version"}
_EXACT = 2**53
_LAST_VERSION = 2**31 - 1
_TOGETHER = 16
"""Entries read at once: a megabyte at the most."""
_BETWEEN = secrets.token_hex(16)
_SEPARATOR = f',"{_BETWEEN}",'.encode()


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
    try:
        text = entry.decode()
        read: object = _decode(text)
        canonical = isinstance(read, dict) and _encode(read) == text
    except ValueError as error:
        raise BrokenEntry(f"it is no canonical JSON: {error}") from None
    except RecursionError:
        raise BrokenEntry("it is JSON in more layers than an event has") from None
    if not canonical:
        raise BrokenEntry("it is JSON, and not canonical")
    return _place(cast("dict[str, Any]", read))


def places_of(entries: Sequence[bytes]) -> Iterator[Place | BrokenEntry]:
    """The same of many, in half the time: give the place of each, or in what it is not of the format."""
    for at in range(0, len(entries), _TOGETHER):
        few = entries[at : at + _TOGETHER]
        read = _read_together(few)
        for one, entry in enumerate(few):
            try:
                yield place_of(entry) if read is None else _place(read[one])
            except BrokenEntry as error:
                yield error


def _read_together(entries: Sequence[bytes]) -> Sequence[dict[str, Any]] | None:
    """Read entries as one list; None where one of them may be no canonical object.

    Between them stands what nobody who wrote one could know: as often as there it is nowhere in the text, so each entry is one value.
    """
    try:
        text = (b"[%b]" % _SEPARATOR.join(entries)).decode()
        read: list[Any] = _decode(text)
        canonical = _encode(read) == text
    except (ValueError, RecursionError):
        return None
    each, between = read[::2], read[1::2]
    sound = canonical and len(each) == len(entries) and between == [_BETWEEN] * (len(entries) - 1)
    return each if sound and all(isinstance(one, dict) for one in each) else None


def _place(read: dict[str, Any]) -> Place:
    if read.keys() != _FIELDS or read["v"] != 1 or not isinstance(read["payload"], dict):
        raise BrokenEntry("its members are not those of an entry of version 1")
    stream, version, kind = read["stream"], read["version"], read["type"]
    if not isinstance(stream, str) or not isinstance(kind, str) or type(version) is not int or not 1 <= version <= _LAST_VERSION:
        raise BrokenEntry("its stream, version or type is of another kind of value")
    return Place(stream, version, kind)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


class _Numbers(dict[str, int]):
    """Numbers by how they are written; short ones come again and again."""

    def __missing__(self, text: str) -> int:
        value = int(text)
        if abs(value) > _EXACT:
            raise ValueError(f"{text} is beyond 2**53")
        if len(text) <= 4:
            self[text] = value
        return value


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_Numbers().__getitem__).decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
