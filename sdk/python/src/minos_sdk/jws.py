"""Signed texts in the compact form (RFC 7515), read far more strictly than they have to be: what nobody here writes is refused.

The header has `alg`, `kid` and `typ` and nothing else, so that no `jku`, `jwk`, `x5u`, `x5c` or `crit` can matter; no JSON object
names a member twice; base64url has one spelling. A header chooses nothing: the key says what it may be used for (RFC 8725 3.1, 3.11).
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

Object = Mapping[str, object]
_HEADER = {"alg", "kid", "typ"}
_LONGEST_KID = 128
_DEEPEST = 32
"""Levels of what is in one another. Nothing that an issuer writes has more than five."""
_SHORT = 65_536
"""Bytes that are looked at for that: tokens and signals are shorter, and what is longer is a snapshot."""


class Malformed(Exception):
    """This is no such text. `reason`: a word for metrics, never shown to whoever sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    alg: str
    kid: str
    typ: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a text. Nothing of it is known to be genuine before its key said so."""

    header: Header
    message: bytes = field(repr=False)
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read(text: str, *, longest: int) -> Signed:
    """Take a text apart. Raises Malformed."""
    if len(text) > longest:
        raise Malformed("too_long")
    if not text.isascii() or text.count(".") != 2:
        raise Malformed("malformed")
    message, _, tail = text.rpartition(".")
    head, _, body = message.partition(".")
    return Signed(read_header(head), message.encode(), from_base64url(body), from_base64url(tail))


@lru_cache(maxsize=32)
def read_header(text: str) -> Header:
    """Remembered, since one key writes the same header each time. Raises Malformed."""
    found = read_object(from_base64url(text))
    alg, kid, typ = found.get("alg"), found.get("kid"), found.get("typ")
    if not (set(found) == _HEADER and isinstance(alg, str) and isinstance(kid, str) and isinstance(typ, str)):
        raise Malformed("header")
    if not 0 < len(kid) <= _LONGEST_KID:
        raise Malformed("header")
    return Header(alg, kid, typ)


def read_object(raw: bytes) -> Object:
    """Read one JSON object (RFC 8259) without doubled members, NaN or bad UTF-8. Raises Malformed."""
    try:
        found: object = _decode(raw.decode())
    except (ValueError, RecursionError):
        raise Malformed("json") from None
    if not isinstance(found, dict):
        raise Malformed("json")
    read_whole = cast("Object", found)  # JSON's names are texts
    if len(raw) <= _SHORT and _opened(raw) > _DEEPEST and _is_deeper(read_whole):
        raise Malformed("json")
    return read_whole


def _opened(raw: bytes) -> int:
    return raw.count(b"{") + raw.count(b"[")


def _is_deeper(found: object) -> bool:
    """How deep Python itself goes differs from version to version."""
    level: list[object] = [found]
    for _ in range(_DEEPEST):
        level = [each for outer in level for each in _inside(outer)]
    return bool(level)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant).decode


def from_base64url(text: str) -> bytes:
    """Raises Malformed for what has padding, other characters, or bits that mean nothing."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Malformed("base64url") from None
    if to_base64url(raw) != text:
        raise Malformed("base64url")
    return raw


def to_base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
