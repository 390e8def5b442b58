"""An event as an auditor reads it: a line of JSON with its position and all that the tree proves of it.

Sealed fields are shown to be sealed, or opened for whoever may see them; what is sealed as a credential is opened for nobody
(threats.md 12).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from adapters.sealing import SealBroken
from commands.ports import StoredEvent, Vault
from domain.codec import SEALED_FIELDS
from domain.errors import UnknownEventTag
from domain.event import Erased, Sealed
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, SubjectKeyId

CREDENTIALS = frozenset({
    ("user.password_set.v1", "password"),
    ("user.password_rehashed.v1", "password"),
    ("factors.totp_offered.v1", "seed"),
    ("factors.passkey_registered.v1", "credential"),
    ("factors.recovery_codes_made.v1", "verifiers"),
})  # fmt: skip
"""Fields that stay sealed whatever the vault says of their key."""


class Line(Struct, frozen=True, kw_only=True):
    """`payload` is as stored but for its sealed fields; where retention has taken it, `pruned` is there instead. The other names are a
    leaf's."""

    position: int
    epoch: int
    event_id: EventId
    stream: StreamName
    version: int
    type: str
    recorded_at: datetime
    actor: str
    session: SessionId | None
    command: CommandId
    correlation: CorrelationId
    causation: EventId | None
    key_id: SubjectKeyId | None
    payload: Raw | UnsetType = UNSET
    pruned: bool | UnsetType = UNSET


class Hidden(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands for a field that is not opened: `sealed`, or `erased` where its key is gone, or `broken` where it does not open."""

    sealed: bool | UnsetType = UNSET
    erased: bool | UnsetType = UNSET
    broken: bool | UnsetType = UNSET
    key_id: SubjectKeyId


_json = msgspec.json.Encoder()
_fields: msgspec.json.Decoder[dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw])
_sealed: msgspec.json.Decoder[Sealed] = msgspec.json.Decoder(Sealed)
_NULL = Raw(b"null")


def sealed_lines(events: Sequence[StoredEvent], *, epoch: int) -> bytes:
    """Write the events of a page, a line each. Raises UnknownEventTag for one of which nobody knows what is sealed."""
    return _json.encode_lines([_line(event, epoch, _with_sealed(event)) for event in events])


async def revealed_lines(events: Sequence[StoredEvent], vault: Vault, *, epoch: int) -> bytes:
    """As `sealed_lines`, opened. Raises StoreUnavailable, CannotUnwrap."""
    payloads = await asyncio.gather(*(_opened(event, vault) for event in events))
    return _json.encode_lines([_line(event, epoch, payload) for event, payload in zip(events, payloads, strict=True)])


def _line(event: StoredEvent, epoch: int, payload: bytes) -> Line:
    return Line(
        position=event.position or 0,
        epoch=epoch,
        event_id=event.event_id,
        stream=event.stream,
        version=event.version,
        type=event.type,
        recorded_at=event.recorded_at,
        actor=event.actor,
        session=event.session_id,
        command=event.command_id,
        correlation=event.correlation_id,
        causation=event.causation_id,
        key_id=event.key_id,
        payload=Raw(payload) if payload else UNSET,
        pruned=UNSET if payload else True,
    )


def _with_sealed(event: StoredEvent) -> bytes:
    if event.key_id is None or not event.payload:  # nothing is sealed in it
        return event.payload
    fields = _fields.decode(event.payload)
    hidden = Raw(_json.encode(Hidden(sealed=True, key_id=event.key_id)))
    fields.update((name, hidden) for name in _names(event) if fields.get(name, _NULL) != _NULL)
    return _json.encode(fields)


async def _opened(event: StoredEvent, vault: Vault) -> bytes:
    if event.key_id is None or not event.payload:
        return event.payload
    fields = _fields.decode(event.payload)
    names = [name for name in _names(event) if fields.get(name, _NULL) != _NULL]
    shown = await asyncio.gather(*(_shown(event, name, _sealed.decode(fields[name]), vault) for name in names))
    fields.update((name, Raw(_json.encode(value))) for name, value in zip(names, shown, strict=True))
    return _json.encode(fields)


async def _shown(event: StoredEvent, field: str, value: Sealed, vault: Vault) -> str | Hidden:
    if (event.type, field) in CREDENTIALS:
        return Hidden(sealed=True, key_id=value.key_id)
    try:
        opened = await vault.reveal(value, stream=event.stream, field=field)
    except SealBroken:
        return Hidden(broken=True, key_id=value.key_id)
    match opened:
        case Erased():
            return Hidden(erased=True, key_id=value.key_id)
        case Sealed():
            return Hidden(sealed=True, key_id=value.key_id)
        case str():
            return opened


def _names(event: StoredEvent) -> Sequence[str]:
    names = SEALED_FIELDS.get(event.type)
    if names is None:
        raise UnknownEventTag(event.type)
    return names
