"""Which API keys an owner has: so that all can be revoked in one step, and nobody makes them without end.

What a key opens is of its own stream; this one names them. Stream: `key_owner-<user id or client id>`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from domain.decider import Decider
from domain.errors import TooManyKeys
from domain.event import Event
from domain.ids import ClientId, KeyId, StreamName, UserId

MOST_KEYS = 50
"""Keys of one owner that have not ended."""


class KeyListed(Event, frozen=True, kw_only=True, tag="key_owner.key_listed.v1"):
    """A new key, or one whose end was moved."""

    key_id: KeyId
    expires_at: datetime


class KeyDelisted(Event, frozen=True, kw_only=True, tag="key_owner.key_delisted.v1"):
    key_id: KeyId


KeyOwnerEvent = KeyListed | KeyDelisted


class Entry(Struct, frozen=True, kw_only=True):
    key_id: KeyId
    expires_at: datetime


class KeyOwner(Struct, frozen=True, kw_only=True):
    """Oldest first. Some may have ended since the last change."""

    keys: tuple[Entry, ...] = ()


def evolve(state: KeyOwner, event: KeyOwnerEvent) -> KeyOwner:
    others = tuple(entry for entry in state.keys if entry.key_id != event.key_id)
    match event:
        case KeyListed():
            alive = tuple(entry for entry in others if event.at < entry.expires_at)
            return KeyOwner(keys=(*alive, Entry(key_id=event.key_id, expires_at=event.expires_at)))
        case KeyDelisted():
            return KeyOwner(keys=others)
        case _:
            assert_never(event)


decider: Decider[KeyOwner, KeyOwnerEvent] = Decider("key_owner", KeyOwner, 1, KeyOwner(), evolve)


def stream(owner: UserId | ClientId) -> StreamName:
    return StreamName(f"key_owner-{owner}")


def add(state: KeyOwner, *, key_id: KeyId, expires_at: datetime, at: datetime) -> Sequence[KeyOwnerEvent]:
    """Raises TooManyKeys."""
    if Entry(key_id=key_id, expires_at=expires_at) in state.keys:
        return []
    others = [entry for entry in state.keys if at < entry.expires_at and entry.key_id != key_id]
    if len(others) >= MOST_KEYS:
        raise TooManyKeys
    return [KeyListed(key_id=key_id, expires_at=expires_at, at=at)]


def remove(state: KeyOwner, key_id: KeyId, *, at: datetime) -> Sequence[KeyOwnerEvent]:
    return [KeyDelisted(key_id=key_id, at=at)] if any(entry.key_id == key_id for entry in state.keys) else []
