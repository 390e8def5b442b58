"""The description of every message Minos sends (AsyncAPI 3.0), made from the types that write them."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from adapters.event_envelope import LEAVING, Envelope
from adapters.signal_sets import TYPE as SET_TYPE
from adapters.signal_sets import Beat, Feed
from api.openapi import VERSION
from api.openapi_shapes import REF, cleaned, plain
from domain.codec import EVENT_TYPES
from domain.event import Event
from domain.legacy import LEGACY
from domain.signals.facts import (
    ApiKeyFact,
    ClientFact,
    EventType,
    KeyFact,
    RoleMapFact,
    RolesFact,
    SessionFact,
    TokenFact,
    UserFact,
)

ACCESS_FACTS = (SessionFact, UserFact, ClientFact, KeyFact, TokenFact, ApiKeyFact)
ROLE_FACTS = (RolesFact, RoleMapFact)
FACTS = (*ACCESS_FACTS, *ROLE_FACTS)
HEARTBEAT = "heartbeat"
_EVENTS = (*EVENT_TYPES.values(), *LEGACY)
_UUID = {"type": "string", "format": "uuid"}


async def document() -> bytes:
    """Give the description as JSON. Made once, when somebody first asks, in a thread: it takes a while."""
    return await asyncio.to_thread(_document)


@lru_cache(maxsize=1)
def _document() -> bytes:
    return msgspec.json.encode(described())


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    channels = {**_event_channels(), **_signal_channels()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Minos messages",
            "version": VERSION,
            "description": (
                "What services elsewhere are told. Signals are SETs (RFC 8417), each a JWS under a key of "
                "`/.well-known/signals-jwks.json`, and say what is worth nothing any more; they are merged by epoch or version, whatever "
                "their order and number. Events are what happened, in the order of their positions. Nothing personal is in either."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": channels,
        "operations": {f"send{name[0].upper()}{name[1:]}": _sending(name, channel) for name, channel in channels.items()},
        "components": {"schemas": _schemas(), "messages": _messages(), "securitySchemes": _SECURITY},
    }


_SERVERS = {
    "nats": {
        "host": "nats.example.org:4222",
        "protocol": "nats",
        "description": (
            "Services connect with an access token for audience `nats` and hear the classes their service account may; the subjects of "
            "events belong to an account that they are not in."
        ),
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    },
    "http": {
        "host": "id.example.org",
        "protocol": "https",
        "description": "For those without NATS, with an access token for `minos`; see `/openapi.json`.",
        "security": [{"$ref": "#/components/securitySchemes/bearer"}],
    },
}
_SECURITY = {
    "token": {"type": "apiKey", "in": "password", "description": "An access token (RFC 9068) as the connection's token."},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token (RFC 6750)."},
}


def key_of(tag: str) -> str:
    """Give what a message is called where it is referred to: some readers take no dots there."""
    return tag.replace(".", "_")


def tag_of(fact: type) -> str:
    """Give the kind of a fact, as its `kind` says."""
    return str(fact.__struct_config__.tag)  # type: ignore[attr-defined]  # every fact is a Struct


def _event_channels() -> dict[str, Any]:
    tags = [str(event.__struct_config__.tag) for event in _EVENTS]
    parts = [tag.split(".") for tag in tags]
    parameters = {
        "category": {"enum": sorted({part[0] for part in parts})},
        "what": {"enum": sorted({part[1] for part in parts})},
    }
    return {
        "events": _channel("minos.events.v1.{category}.{what}", "nats", tags, "Each event, for Minos' own parts.", parameters),
        "eventFeed": _channel("/api/v1/events", "http", tags, "The same, by position, as far as the caller may read them."),
    }


def _signal_channels() -> dict[str, Any]:
    access, roles = [tag_of(fact) for fact in ACCESS_FACTS], tag_of(RolesFact)
    of_access = {"kind": {"enum": access}, "id": {"description": "What the fact is of."}}
    of_roles = {"audience": {"description": "Whose."}, "id": {"description": "The user."}}
    of_map = {"audience": {"description": "Where it gives that."}, "id": {"description": "The role."}}
    live, stored = "as it is stored, with its sequence in the stream", "the newest of each subject, read by Direct Get"
    channels = {"signalStream": _channel("/api/v1/signals/stream", "http", [*map(tag_of, FACTS), HEARTBEAT], "Server-sent events.")}
    for way, said in (("sig", stored), ("live", live), ("hint", "right after the commit, and perhaps lost")):
        channels |= {
            f"{way}Access": _channel(f"{way}.v1.access.{{kind}}.{{id}}", "nats", access, f"Class `access`: {said}.", of_access),
            f"{way}Roles": _channel(f"{way}.v1.roles.{{audience}}.{{id}}", "nats", [roles], f"A person's roles: {said}.", of_roles),
        }
    for way, said in (("sig", stored), ("live", live)):
        address = f"{way}.v1.role_map.{{audience}}.{{id}}"
        channels[f"{way}RoleMap"] = _channel(address, "nats", [tag_of(RoleMapFact)], f"What a role gives: {said}.", of_map)
    beats = {"audience": {"description": "Of whose class."}}
    channels["accessHeartbeat"] = _channel("live.v1.access.heartbeat", "nats", [HEARTBEAT], "Each second.")
    channels["rolesHeartbeat"] = _channel("live.v1.roles.{audience}.heartbeat", "nats", [HEARTBEAT], "Each second.", beats)
    return channels


def _channel(address: str, server: str, messages: Iterable[str], said: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "description": said,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {key_of(name): {"$ref": f"#/components/messages/{key_of(name)}"} for name in messages},
    }
    return channel if parameters is None else channel | {"parameters": dict(parameters)}


def _sending(name: str, channel: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in channel["messages"]],
    }


def _messages() -> dict[str, Any]:
    events = {
        key_of(tag): {"name": tag, "title": event.__name__, "payload": {"$ref": REF.format(name=key_of(tag))}}
        for event in _EVENTS
        for tag in [str(event.__struct_config__.tag)]
    }
    sets = {
        name: {
            "name": name,
            "contentType": f"application/{SET_TYPE}",
            "description": "A JWS in compact form (RFC 7515); `x-minos-claims` is what its payload says.",
            "payload": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"},
            "x-minos-claims": {"$ref": REF.format(name=f"set_{name}")},
        }
        for name in (*map(tag_of, FACTS), HEARTBEAT)
    }
    return events | sets


def _schemas() -> dict[str, Any]:
    shapes, components = msgspec.json.schema_components((*FACTS, Feed, Beat, Envelope), ref_template=REF)
    sets = {f"set_{tag_of(fact)}": _set(fact.__name__) for fact in FACTS}
    return {
        **_components(components),
        **sets,
        f"set_{HEARTBEAT}": _object(_claims(EventType.HEARTBEAT) | {"feed": {"$ref": REF.format(name="Beat")}}),
        **_event_schemas(cleaned(components)[shapes[-1]["$ref"].rsplit("/", 1)[-1]]),
    }


def _components(components: Mapping[str, Any]) -> dict[str, Any]:
    return {plain(name): cleaned(schema) for name, schema in components.items()}


def _set(fact: str) -> dict[str, Any]:
    causes = (cause for cause in EventType if cause is not EventType.HEARTBEAT)
    about = {"type": "object", "required": ["format"], "properties": {"format": {"enum": ["iss_sub", "complex", "opaque"]}}}
    stated = {"txn": _UUID, "sub_id": about, "minos": {"$ref": REF.format(name=fact)}}
    schema = _object(_claims(*causes) | stated)
    schema["properties"]["feed"] = {"$ref": REF.format(name="Feed")}  # where it stands in its class; a hint stands nowhere
    return schema


def _claims(*causes: EventType) -> dict[str, Any]:
    events = {"type": "object", "propertyNames": {"enum": [str(cause) for cause in causes]}, "minProperties": 1, "maxProperties": 1}
    return {"iss": {"type": "string"}, "iat": {"type": "integer"}, "jti": _UUID, "events": events}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


def _event_schemas(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Of each event the envelope, with the fields that leave: as `docs/reference/events.md` has them."""
    hints = [(event, name, hint) for event in _EVENTS for name, hint in _leaving(event).items()]
    shapes, components = msgspec.json.schema_components([hint for _, _, hint in hints], ref_template=REF)
    data: dict[type[Event], dict[str, Any]] = {event: {} for event in _EVENTS}
    for (event, name, _), shape in zip(hints, shapes, strict=True):
        data[event][name] = cleaned(shape)
    return {
        **_components(components),
        **{key_of(str(event.__struct_config__.tag)): _told(event, envelope, data[event]) for event in _EVENTS},
    }


def _leaving(event: type[Event]) -> dict[str, Any]:
    leaving = LEAVING[str(event.__struct_config__.tag)]
    return {name: hint for name, hint in get_type_hints(event, include_extras=True).items() if name in leaving}


def _told(event: type[Event], envelope: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    required = [field.encode_name for field in msgspec.structs.fields(event) if field.required and field.encode_name in data]
    fields = {"type": "object", "properties": data, "required": required, "additionalProperties": False}
    said = {} if not (event.__doc__ and "__doc__" in vars(event)) else {"description": " ".join(event.__doc__.split())}
    properties = {**envelope["properties"], "type": {"const": str(event.__struct_config__.tag)}, "data": fields}
    return {**said, "type": "object", "properties": properties, "required": envelope["required"]}
