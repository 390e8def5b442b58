"""An event as the world outside may see it: who, what, when, on what, and nothing personal, sealed or not.

NATS and the feed over HTTP send the same bytes. A field leaves only if its type says that it cannot hold free text or a
secret: ids, names of a constrained alphabet, enumerations, times and numbers. Ciphertext, bytes and text stay.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from commands.ports import StoredEvent
from domain.codec import EVENT_TYPES
from domain.errors import UnknownEventTag
from domain.event import Event, Sealed
from domain.ids import CorrelationId, DigestText, EventId, SessionId, StreamName
from domain.legacy import LEGACY


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of an event. `position` counts within `epoch`; times are RFC 3339, UTC.

    `pruned` is there, and true, where what the event said has gone, its time being over: then `data` is empty.
    """

    position: int
    epoch: int
    event_id: EventId
    stream: StreamName
    version: int
    type: str
    recorded_at: datetime
    actor: str
    session_id: SessionId | None
    correlation_id: CorrelationId
    data: dict[str, Raw]
    pruned: bool = False


def may_leave(hint: Any) -> bool:
    """Tell whether a value of this type can be shown to anybody."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint == DigestText:  # of a credential: nobody needs it who does not check that
        return False
    if origin is Annotated:
        return any(isinstance(part, Meta) and part.pattern for part in arguments[1:]) or may_leave(arguments[0])
    if isinstance(hint, NewType):
        return may_leave(hint.__supertype__)
    if origin is Union or isinstance(hint, UnionType) or origin is tuple:
        return all(may_leave(part) for part in arguments if part is not Ellipsis)
    if not isinstance(hint, type) or hint is Sealed:
        return False
    if issubclass(hint, Struct):
        return all(may_leave(part) for part in get_type_hints(hint, include_extras=True).values())
    return issubclass(hint, UUID | datetime | int | Enum | NoneType)


def _leaving(event_types: Iterable[type[Event]]) -> dict[str, frozenset[str]]:
    return {
        str(event_type.__struct_config__.tag): frozenset(
            name
            for name, hint in get_type_hints(event_type, include_extras=True).items()
            if name in event_type.__struct_fields__ and may_leave(hint)
        )
        for event_type in event_types
    }


LEAVING = _leaving((*EVENT_TYPES.values(), *LEGACY))
"""Which fields of an event leave, by its tag as it is stored."""

_payload: msgspec.json.Decoder[dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw])
_body = msgspec.json.Encoder()


def envelope(stored: StoredEvent, *, epoch: int) -> bytes:
    """Write what leaves of one sequenced event: the same bytes every time, until it is pruned.

    Raises UnknownEventTag: what may leave of an event we do not know is not known either.
    """
    leaving = LEAVING.get(stored.type)
    if leaving is None:
        raise UnknownEventTag(stored.type)
    if stored.position is None:
        raise ValueError("an event without a position cannot be published")
    return _body.encode(
        Envelope(
            position=stored.position,
            epoch=epoch,
            event_id=stored.event_id,
            stream=stored.stream,
            version=stored.version,
            type=stored.type,
            recorded_at=stored.recorded_at,
            actor=stored.actor,
            session_id=stored.session_id,
            correlation_id=stored.correlation_id,
            data={name: value for name, value in _said(stored).items() if name in leaving},
            pruned=stored.pruned,
        )
    )


def _said(stored: StoredEvent) -> dict[str, Raw]:
    return {} if stored.pruned else _payload.decode(stored.payload)


def category_of(tag: str) -> str:
    """Give the first word of a tag, which is what rights to read events go by."""
    return tag.partition(".")[0]


CATEGORIES = frozenset(map(category_of, LEAVING))
