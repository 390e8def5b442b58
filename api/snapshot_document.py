"""A signed document of signals: a JWS that is written in pieces, since it may be large (RFC 7515 7.1)."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from adapters.base64url import to_text
from adapters.jwk import Signer
from domain.signals.facts import SignalClass
from domain.signing_key import Algorithm

TYPE = "minos-snapshot+jwt"


class SnapshotClass(Struct, frozen=True, kw_only=True):
    """Every signal of the class up to `count` of `epoch` is among the facts, or what took its place.

    With `after`, only those behind that count are: the rest is for who knows everything up to there.
    """

    of_class: SignalClass = field(name="class")
    epoch: int
    count: int
    after: int | UnsetType = UNSET


class Head(Struct, frozen=True, kw_only=True):
    iss: str
    iat: int
    complete_to: int
    classes: Sequence[SnapshotClass]


class _Header(Struct, frozen=True):
    alg: Algorithm
    kid: str
    typ: str = TYPE


_encode = msgspec.json.Encoder().encode


def written(signer: Signer, head: Head, facts: list[bytes]) -> bytes:
    """Write and sign the document. In a thread, which lets the others go on between two pieces; it uses `facts` up."""
    digest = sha256()
    written = [to_text(_encode(_Header(Algorithm.ES256, signer.kid))).encode() + b"."]
    digest.update(written[0])
    for piece in _encoded(_payload(head, facts)):
        digest.update(piece)
        written.append(piece)
    written.append(b"." + to_text(signer.sign_digest(digest.digest())).encode())
    return b"".join(written)


def _payload(head: Head, facts: list[bytes]) -> Iterator[bytes]:
    yield _encode(head)[:-1] + b',"facts":['
    for number, piece in enumerate(facts):
        facts[number] = b""
        yield b"," + piece if number else piece
    yield b"]}"


def _encoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Write in base64url without padding (RFC 7515 2): three bytes at a time, what is left of a piece with the next."""
    rest = b""
    for piece in pieces:
        rest += piece
        whole = len(rest) - len(rest) % 3
        yield urlsafe_b64encode(rest[:whole])
        rest = rest[whole:]
    yield urlsafe_b64encode(rest).rstrip(b"=")
