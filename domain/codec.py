"""Events and states as bytes, and back. Events are canonical JSON (sorted keys, RFC 8785's subset); states are MessagePack."""

from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from domain.action import ActionConsumed
from domain.action_catalogue import ActionsEvent
from domain.administrators import AdministratorsEvent
from domain.api_key import ApiKeyEvent
from domain.attributes import AttributesSet
from domain.audience import AudienceEvent
from domain.audit import AuditAsked
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimEvent
from domain.client_events import ClientEvent
from domain.decider import Decider
from domain.erasure_events import ErasureEvent
from domain.errors import UnknownEventTag
from domain.event import Event, Sealed
from domain.factor_events import FactorEvent
from domain.factor_policy import FactorPolicyEvent
from domain.ids import SubjectKeyId
from domain.invitation import InvitationEvent
from domain.key_owner import KeyOwnerEvent
from domain.legacy import LEGACY, upcast
from domain.log import LogEvent
from domain.machine_token import MachineTokenEvent
from domain.password_reset import PasswordResetEvent
from domain.role import RoleEvent
from domain.session_events import SessionEvent
from domain.sign_in_guard import SignInLocked
from domain.signing_key import SigningKeyEvent
from domain.user_events import UserEvent
from domain.vault_keys import VaultKeysEvent

S = TypeVar("S")

AnyEvent = (
    UserEvent | ClaimEvent | RoleEvent | SessionEvent | SigningKeyEvent | AdministratorsEvent | BootstrapCompleted | SignInLocked
    | ClientEvent | MachineTokenEvent | AudienceEvent | FactorEvent | ActionConsumed | ActionsEvent | PasswordResetEvent | ApiKeyEvent
    | KeyOwnerEvent | FactorPolicyEvent | InvitationEvent | AttributesSet | ErasureEvent | AuditAsked | LogEvent
    | VaultKeysEvent
)  # fmt: skip


def _members(union: Any) -> tuple[type[Event], ...]:
    return tuple(get_args(union)) if isinstance(union, UnionType) else (union,)


EVENT_TYPES: dict[str, type[Event]] = {str(t.__struct_config__.tag): t for t in _members(AnyEvent)}
"""Every tag today's code writes, and its type."""
_TAGS = {event_type: tag for tag, event_type in EVENT_TYPES.items()}

_to_json = msgspec.json.Encoder(order="sorted")
_event_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    str(t.__struct_config__.tag): msgspec.json.Decoder(t) for t in (*EVENT_TYPES.values(), *LEGACY)
}
_to_msgpack = msgspec.msgpack.Encoder(order="deterministic")  # sets too: equal states are equal bytes
_state_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {}

SEALED_FIELDS: dict[str, tuple[str, ...]] = {
    tag: tuple(
        name
        for name, hint in get_type_hints(event_type).items()
        if hint is Sealed or (isinstance(hint, UnionType) and Sealed in get_args(hint))
    )
    for tag, event_type in EVENT_TYPES.items()
}
"""Which fields of an event hold ciphertext: they never leave the database."""


def tag_of(event: Event | type[Event]) -> str:
    kind = event if isinstance(event, type) else type(event)
    return _TAGS.get(kind) or str(kind.__struct_config__.tag)


def encode_event(event: Event) -> bytes:
    """Give the exact bytes the log stores and hashes."""
    return _to_json.encode(event)


def decode_event(tag: str, payload: bytes) -> AnyEvent:
    """Read an event of any age as today's type. Raises UnknownEventTag rather than ever passing one over.

    Raises msgspec.ValidationError for a payload of another tag.
    """
    decoder = _event_decoders.get(tag)
    if decoder is None:
        raise UnknownEventTag(tag)
    decoded: AnyEvent = decoder.decode(payload)
    return decoded if tag in EVENT_TYPES else upcast(decoded)


def key_of(event: Event) -> SubjectKeyId | None:
    """Give the one key that all sealed fields of an event share. Raises ValueError when they do not share it."""
    names = SEALED_FIELDS[tag_of(event)]
    if not names:
        return None
    keys = {value.key_id for name in names if isinstance(value := getattr(event, name), Sealed)}
    if len(keys) > 1:
        raise ValueError(f"{tag_of(event)} seals its fields under more than one key")
    return next(iter(keys), None)


def encode_state(state: object) -> bytes:
    return _to_msgpack.encode(state)


def decode_state(decider: Decider[S, Any], state: bytes) -> S:
    decoder = _state_decoders.get(decider.category)
    if decoder is None:
        decoder = _state_decoders[decider.category] = msgspec.msgpack.Decoder(decider.state_type)
    decoded: S = decoder.decode(state)
    return decoded
