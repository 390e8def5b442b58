"""Signals as Security Event Tokens (RFC 8417), signed with a key that signs nothing else (threats.md 14).

A body is all that a SET says of its fact; when it was signed, and where it stands in its feed, is put to it at signing. So one body is
kept, and is signed anew whenever it goes out.
"""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID, uuid4, uuid5

import msgspec
from msgspec import Struct, field

from adapters.base64url import to_text
from adapters.jwk import Signer
from domain.ids import CorrelationId, EventId
from domain.signals.facts import EventType, Fact, RolesFact, SessionFact, Signal, UserFact, subject_of
from domain.signing_key import Algorithm

TYPE = "secevent+jwt"


class Signing(Protocol):
    """A keyring of purpose `signals`."""

    async def signer(self, algorithm: Algorithm | None = None) -> Signer: ...


class Feed(Struct, frozen=True, kw_only=True):
    """Where a SET stands: `count` is dense within class and epoch, from 1."""

    of_class: str = field(name="class")
    epoch: int
    count: int


class Beat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a heartbeat says of its class: everything committed before `complete_to` (microseconds since 1970, by the database's clock) is
    in the stream, whose newest message is `sequence` and newest count `count`. `state`: running, halted or catching_up. `checkpoint`: the
    newest one of the log, as the log signed it; in class `access` alone, once there is any."""

    of_class: str = field(name="class")
    epoch: int
    count: int
    sequence: int
    beat: int
    complete_to: int
    state: str
    checkpoint: str = ""


class _Header(Struct, frozen=True):
    alg: Algorithm
    kid: str
    typ: str = TYPE


class _Body(Struct, frozen=True, kw_only=True):
    iss: str
    jti: UUID
    txn: CorrelationId
    sub_id: Mapping[str, Any]
    events: Mapping[EventType, Mapping[str, Any]]
    minos: Fact


_encode = msgspec.json.Encoder().encode


class SignalSigner:
    """Writes bodies, and signs them. For one event loop."""

    def __init__(self, keyring: Signing, issuer: str, *, clock: Callable[[], float] = time.time) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    def body(self, signal: Signal, *, event_id: EventId, txn: CorrelationId) -> bytes:
        """Write a signal down: the same bytes for the same fact of the same event. `txn` joins it to the request that caused it."""
        cause = signal.cause
        return _encode(
            _Body(
                iss=self._issuer,
                jti=uuid5(event_id, _told(signal.fact)),
                txn=txn,
                sub_id=_sub_id(signal, self._issuer),
                events={cause.type: {"event_timestamp": int(signal.at.timestamp()), **cause.members}},
                minos=signal.fact,
            )
        )

    async def kid(self) -> str:
        """Name the key that signs now. Raises StoreUnavailable while none can be read."""
        return (await self._keyring.signer(Algorithm.ES256)).kid

    async def sign(self, body: bytes, feed: Feed | None = None) -> str:
        """Give the SET of a body. Raises StoreUnavailable while no key can be read."""
        return await self._signed(body, feed)

    async def heartbeat(self, beat: Beat) -> str:
        """Raises StoreUnavailable while no key can be read."""
        return await self._signed(_encode({"iss": self._issuer, "jti": uuid4(), "events": {EventType.HEARTBEAT: {}}}), beat)

    async def _signed(self, body: bytes, feed: Feed | Beat | None) -> str:
        signer = await self._keyring.signer(Algorithm.ES256)
        message = _header(signer.kid) + b"." + to_text(_whole(body, int(self._clock()), feed)).encode()
        return f"{message.decode()}.{to_text(signer.sign(message))}"


def _whole(body: bytes, at: int, feed: Feed | Beat | None) -> bytes:
    end = b"}" if feed is None else b',"feed":%b}' % _encode(feed)
    return b'{"iat":%d,%b%b' % (at, body[1:-1], end)


@lru_cache(maxsize=16)
def _header(kid: str) -> bytes:
    return to_text(_encode(_Header(Algorithm.ES256, kid))).encode()


def _told(fact: Fact) -> str:
    """What names a fact among all that one event could tell of its subject, whenever it is told."""
    version = getattr(fact, "version", None) or getattr(fact, "epoch", None)
    return subject_of(fact) if not version else f"{subject_of(fact)} {version}"


def _sub_id(signal: Signal, issuer: str) -> Mapping[str, Any]:
    """Whom it is about (RFC 9493)."""
    match signal.fact:
        case UserFact(id=user_id) | RolesFact(id=user_id):
            return _user(user_id, issuer)
        case SessionFact(id=session_id):
            whose = {} if signal.user_id is None else {"user": _user(signal.user_id, issuer)}
            return {"format": "complex", **whose, "session": _opaque(session_id)}
        case fact:
            return _opaque(fact.id)


def _user(user_id: UUID, issuer: str) -> Mapping[str, str]:
    return {"format": "iss_sub", "iss": issuer, "sub": str(user_id)}


def _opaque(of: UUID | str) -> Mapping[str, str]:
    return {"format": "opaque", "id": str(of)}
