"""All live signals in one signed document: made in pieces, so that other requests have their turns, and once for all who ask at a time."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct, field

from adapters.base64url import to_text
from adapters.jwk import Signer
from adapters.signal_rows import ClassState, SignalRows
from adapters.signal_sets import Signing
from domain.errors import StoreUnavailable
from domain.signals.facts import SignalClass
from domain.signing_key import Algorithm

TYPE = "minos-snapshot+jwt"
REUSED_SECONDS = 1.0
"""A document serves for so long whoever asks, though signals came since: it says of what time it is."""
ROWS = 1_000
"""Read at a time: some milliseconds."""


class SnapshotClass(Struct, frozen=True, kw_only=True):
    """Every signal of the class up to `count` of `epoch` is among the facts, or what took its place."""

    of_class: SignalClass = field(name="class")
    epoch: int
    count: int


class _Head(Struct, frozen=True, kw_only=True):
    iss: str
    iat: int
    complete_to: int
    classes: Sequence[SnapshotClass]


class _Header(Struct, frozen=True):
    alg: Algorithm
    kid: str
    typ: str = TYPE


class _Kept(Struct, frozen=True):
    minos: Raw


_encode = msgspec.json.Encoder().encode
_kept: msgspec.json.Decoder[_Kept] = msgspec.json.Decoder(_Kept)


class Snapshot(Struct, frozen=True, kw_only=True):
    """`made_at`: seconds of the loop's clock at which its states were read."""

    etag: str
    body: bytes
    made_at: float


class Snapshots:
    """Of one process: one is made at a time, and those who want the same wait for it together."""

    def __init__(self, rows: SignalRows, keys: Signing, *, issuer: str) -> None:
        self._rows = rows
        self._keys = keys
        self._issuer = issuer
        self._making = asyncio.Lock()
        self._rest_until = 0.0
        self._made: dict[tuple[SignalClass, ...], Snapshot] = {}

    async def of(self, classes: Sequence[SignalClass]) -> Snapshot:
        """Give a document of these classes that is as of now, or hardly older. Raises StoreUnavailable."""
        wanted, loop = tuple(classes), asyncio.get_running_loop()
        asked_at = loop.time()
        async with self._making:
            known = self._made.get(wanted)
            if known is not None and known.made_at > asked_at - REUSED_SECONDS:
                return known
            await asyncio.sleep(max(0.0, self._rest_until - loop.time()))
            began = loop.time()
            made = self._made[wanted] = await self._make(wanted)
            self._rest_until = 2 * loop.time() - began  # whoever asks for ever other ones gets half of the time at most
            loop.call_later(REUSED_SECONDS, self._made.pop, wanted, None)  # it may be large
            return made

    async def _make(self, classes: Sequence[SignalClass]) -> Snapshot:
        made_at = asyncio.get_running_loop().time()
        found = await self._rows.classes(classes)
        if any(name not in found for name in classes):
            raise StoreUnavailable
        states = {name: found[name] for name in classes}
        facts = [piece for name in classes for piece in await self._facts(name)]
        signer = await self._keys.signer(Algorithm.ES256)
        body = await asyncio.to_thread(_written, signer, self._head(states), facts)
        return Snapshot(etag=etag_of(states), body=body, made_at=made_at)

    def _head(self, states: Mapping[SignalClass, ClassState]) -> _Head:
        return _Head(
            iss=self._issuer,
            iat=int(time.time()),
            complete_to=min(state.complete_to for state in states.values()),
            classes=[SnapshotClass(of_class=name, epoch=state.epoch, count=state.count) for name, state in states.items()],
        )

    async def _facts(self, of_class: SignalClass) -> list[bytes]:
        """Read to the very end: a fact that is told anew meanwhile moves there."""
        pieces: list[bytes] = []
        count, more = 0, True
        while more:
            rows = await self._rows.after(of_class, count, ROWS)
            if rows:
                pieces.append(b",".join([_kept.decode(row.body).minos for row in rows]))
                count = rows[-1].count
            more = len(rows) == ROWS
        return pieces


def etag_of(states: Mapping[SignalClass, ClassState]) -> str:
    """Name what is known at these states, whenever it is signed (RFC 9110 8.8.3)."""
    text = ",".join(f"{name}:{state.epoch}:{state.count}" for name, state in states.items())
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _written(signer: Signer, head: _Head, facts: list[bytes]) -> bytes:
    """Write and sign the document (RFC 7515 7.1). In a thread, which lets the others go on between two pieces; it uses `facts` up."""
    digest = sha256()
    written = [to_text(_encode(_Header(Algorithm.ES256, signer.kid))).encode() + b"."]
    digest.update(written[0])
    for piece in _encoded(_payload(head, facts)):
        digest.update(piece)
        written.append(piece)
    written.append(b"." + to_text(signer.sign_digest(digest.digest())).encode())
    return b"".join(written)


def _payload(head: _Head, facts: list[bytes]) -> Iterator[bytes]:
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
