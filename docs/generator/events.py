"""`reference/events.md`, from the event types themselves."""

from collections.abc import Iterator
from itertools import groupby
from types import NoneType
from typing import Annotated, Any, NewType, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import UnsetType

from adapters.event_envelope import LEAVING
from docs.generator.markdown import code, document, one_line, table
from domain.codec import EVENT_TYPES, SEALED_FIELDS
from domain.event import Event, Sealed
from domain.session_events import TokenIssued

ACTIVITY = frozenset({TokenIssued})
"""Events that only say an ended thing was busy: the payloads that retention may one day prune. All others are lasting."""

_INTRODUCTION = """
Everything that happened is one of these events. The tag is in the payload as `type` and never changes its meaning: a new field
with a default keeps the tag, anything else makes a new one that ends in the next version. The JSON of an event, its keys
sorted, is the exact bytes in the log.

*Sealed* fields hold personal data as `[key id, ciphertext]`: AES-256-GCM under a key of the person's own. They never leave the
database; nor does any field whose type could hold free text or a secret. The last column says which fields do. *Lasting* events
stay whole; of *activity* events the payload may one day be pruned, once the stream they belong to has ended.

Around each event the log keeps: position, append id, stream, version in the stream, event id, when it was recorded (database
clock), actor, session, command id, correlation id, causation id and, where something is sealed, the key's id. The view
`event_log` shows all of it with the payload as JSON. On NATS an event has the subject `minos.events.v1.<tag without version>`,
which is for Minos' own parts. For others `GET /api/v1/events` gives the same bytes, to whoever holds `minos.events.read`, or
`minos.events.read.<category>` for the events of one category, which is the first word of a tag: [how to follow the
log](../how-to/follow-without-nats.md). What an event looks like there is in [`asyncapi.json`](asyncapi.json), for machines.
"""


def page() -> str:
    sections: list[str] = []
    for category, types in groupby(EVENT_TYPES.items(), key=lambda item: item[0].partition(".")[0]):
        sections.append(f"## {category}")
        sections.extend(_section(tag, event_type) for tag, event_type in types)
    return document("Events", _INTRODUCTION, _overview(), *sections)


def _overview() -> str:
    rows = (
        [f"[`{tag}`](#{_anchor(tag)})", _class(kind), ", ".join(map(code, SEALED_FIELDS[tag])) or "-"] for tag, kind in EVENT_TYPES.items()
    )
    return table(["Tag", "Class", "Sealed fields"], rows)


def _section(tag: str, event_type: type[Event]) -> str:
    said = one_line(event_type.__doc__) if "__doc__" in vars(event_type) and event_type.__doc__ else ""
    return "\n\n".join(
        part
        for part in (f"### {tag}", f"{event_type.__name__}. {said}".strip(), table(["Field", "Type", "On NATS"], _fields(tag, event_type)))
        if part
    )


def _fields(tag: str, event_type: type[Event]) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(event_type, include_extras=True)
    for field in msgspec.structs.fields(event_type):
        yield code(field.encode_name), named(hints[field.name]), "yes" if field.name in LEAVING[tag] else "no"


def named(hint: Any) -> str:
    """Say a type as a reader of JSON meets it."""
    if get_origin(hint) is Annotated:
        return named(get_args(hint)[0])
    parts = get_args(hint)
    if parts and NoneType in parts:
        return " or ".join(named(part) for part in parts if part is not NoneType) + ", or null"
    if UnsetType in parts:
        return " or ".join(named(part) for part in parts if part is not UnsetType) + ", or left out"
    if get_origin(hint) is tuple:
        return f"list of {named(parts[0])}"
    if hint is Sealed:
        return "sealed"
    if choices := _choices(hint):
        return "one of " + ", ".join(code(choice) for choice in choices)
    if isinstance(hint, NewType):
        return f"{'UUID' if hint.__supertype__ is UUID else 'text'} ({hint.__name__})"
    words = {"bool": "boolean", "datetime": "time (RFC 3339, UTC)", "bytes": "bytes (base64)", "int": "integer", "str": "text"}
    name = str(getattr(hint, "__name__", hint))
    return words.get(name, name)


def _choices(hint: Any) -> list[str]:
    members = getattr(hint, "__members__", {})
    return [str(member.value) for member in members.values()]


def _class(event_type: type[Event]) -> str:
    return "activity" if event_type in ACTIVITY else "lasting"


def _anchor(tag: str) -> str:
    return tag.replace(".", "")
