"""Signals as Security Event Tokens (RFC 8417) and signed snapshots of them: nothing of them counts before their signature does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from minos_sdk.claims import number, text
from minos_sdk.facts import Fact, RoleGives, UserRoles, read_fact
from minos_sdk.jws import Header, Malformed, Object, Signed, read, read_object
from minos_sdk.key_set import Key
from minos_sdk.ports import KeySource

SET = "secevent+jwt"
SNAPSHOT = "minos-snapshot+jwt"
HEARTBEAT = "urn:minos:event:heartbeat"
LONGEST = 65_536
LONGEST_SNAPSHOT = 512 * 2**20
_MICRO = 1_000_000
_NOT_OF_A_SET = ("sub", "exp", "aud")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signal stands in its class."""

    of_class: str
    epoch: int
    count: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat says of its class. `complete_to`: seconds since 1970 by the issuer's database. `checkpoint`: the newest one of the
    issuer's log, which its own signature is for to verify; None where none is told."""

    newest: Place
    sequence: int
    complete_to: float
    running: bool
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """`fact` is None for a kind that is not known here; `place` for a hint, which stands nowhere."""

    fact: Fact | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All facts there were up to these places; of a class in `after`, only those behind that count."""

    complete_to: float
    classes: Mapping[str, Place]
    after: Mapping[str, int]
    facts: tuple[Fact | None, ...]


class SetReader:
    """Accepts what one issuer signed with its keys for signals."""

    def __init__(self, issuer: str, keys: KeySource) -> None:
        self._issuer = issuer
        self._keys = keys

    async def signal(self, token: str) -> Signal | Beat:
        """Raises Malformed, and KeysUnavailable."""
        signed = read(token, longest=LONGEST)
        check_type(signed.header, SET)
        payload = self._verified(signed, await self._keys.find(signed.header.kid))
        if any(name in payload for name in _NOT_OF_A_SET):
            raise Malformed("claims")
        events = payload.get("events")
        if not isinstance(events, dict) or len(cast("Object", events)) != 1:
            raise Malformed("claims")
        if HEARTBEAT in events:
            return _beat(payload)
        return _signal(payload)

    async def snapshot(self, token: str) -> Snapshot:
        """Raises Malformed, and KeysUnavailable."""
        signed = await asyncio.to_thread(read, token, longest=LONGEST_SNAPSHOT)
        check_type(signed.header, SNAPSHOT)
        key = await self._keys.find(signed.header.kid)
        return await asyncio.to_thread(self._snapshot, signed, key)

    def _snapshot(self, signed: Signed, key: Key | None) -> Snapshot:
        payload = self._verified(signed, key)
        classes = _objects(payload, "classes")
        places = [_place(each) for each in classes]
        return Snapshot(
            complete_to=number(payload, "complete_to") / _MICRO,
            classes={place.of_class: place for place in places},
            after={place.of_class: number(each, "after") for place, each in zip(places, classes, strict=True) if "after" in each},
            facts=tuple(read_fact(each) for each in _objects(payload, "facts")),
        )

    def _verified(self, signed: Signed, key: Key | None) -> Object:
        check_signature(signed, key)
        payload = read_object(signed.body)
        if text(payload, "iss") != self._issuer:
            raise Malformed("issuer")
        number(payload, "iat")
        return payload


def claimed_place(token: str) -> Place | None:
    """Give where a signal says that it stands, which nobody has verified; None where it does not say."""
    try:
        return _place(_object(read_object(read(token, longest=LONGEST).body), "feed"))
    except Malformed:
        return None


def check_type(header: Header, typ: str) -> None:
    """One class of signed text never passes for another (RFC 8725 3.11). Raises Malformed."""
    if header.typ != typ:
        raise Malformed("type")


def check_signature(signed: Signed, key: Key | None) -> None:
    """Raises Malformed, too when the header names another algorithm than the key's."""
    if key is None:
        raise Malformed("unknown_key")
    if key.alg != signed.header.alg:
        raise Malformed("algorithm")
    if not key.verify(signed.message, signed.signature):
        raise Malformed("signature")


def _beat(payload: Object) -> Beat:
    if "minos" in payload:
        raise Malformed("claims")
    feed = _object(payload, "feed")
    checkpoint = feed.get("checkpoint")
    return Beat(
        newest=_place(feed),
        sequence=number(feed, "sequence"),
        complete_to=number(feed, "complete_to") / _MICRO,
        running=text(feed, "state") == "running",
        checkpoint=checkpoint if isinstance(checkpoint, str) else None,
    )


def _signal(payload: Object) -> Signal:
    text(payload, "jti")
    fact = read_fact(_object(payload, "minos"))
    place = _place(_object(payload, "feed")) if "feed" in payload else None
    if fact is not None and place is not None and place.of_class != class_of(fact):
        raise Malformed("class")
    return Signal(fact, place)


def class_of(fact: Fact) -> str:
    return f"roles.{fact.audience}" if isinstance(fact, UserRoles | RoleGives) else "access"


def _place(feed: Object) -> Place:
    return Place(text(feed, "class"), number(feed, "epoch"), number(feed, "count"))


def _object(payload: Object, name: str) -> Object:
    value = payload.get(name)
    if not isinstance(value, dict):
        raise Malformed("claims")
    return cast("Object", value)


def _objects(payload: Object, name: str) -> list[Object]:
    value = payload.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in cast("list[object]", value)):
        raise Malformed("claims")
    return cast("list[Object]", value)
