"""No event can carry chosen text or clear personal data (threats.md 19): the types of its fields do not allow any."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from msgspec import Meta, Struct
from msgspec import inspect as shape

from domain.codec import EVENT_TYPES, SEALED_FIELDS
from domain.event import Event, Sealed
from domain.ids import UserId

PLAIN = (shape.UUIDType, shape.DateTimeType, shape.IntType, shape.BoolType, shape.NoneType, shape.EnumType)
BYTES = {("session.started.v1", "seed")}
"""The one field of raw bytes: worth nothing without a key that is not in the database (threats.md 1)."""


def faults(of: shape.Type, where: str, *, bytes_allowed: bool = False) -> list[str]:
    """Name every place in a type where somebody's own words could hide."""
    match of:
        case shape.StructType(cls=cls) if cls is Sealed:
            return []
        case shape.StructType(fields=fields):
            return [fault for f in fields for fault in faults(f.type, f"{where}.{f.name}", bytes_allowed=bytes_allowed)]
        case shape.UnionType(types=types):
            return [fault for t in types for fault in faults(t, where, bytes_allowed=bytes_allowed)]
        case shape.VarTupleType(item_type=item):
            return faults(item, f"{where}[]", bytes_allowed=bytes_allowed)
        case shape.StrType(pattern=str(pattern)) if pattern.startswith("^") and pattern.endswith("$(?!\\n)") and " " not in pattern:
            return []
        case shape.BytesType() if bytes_allowed:
            return []
        case _ if isinstance(of, PLAIN):
            return []
        case _:
            return [f"{where}: {type(of).__name__}"]


def faults_of(event_type: type[Event], tag: str) -> list[str]:
    fields: Any = shape.type_info(event_type).fields  # type: ignore[attr-defined]  # of a struct
    return [fault for f in fields for fault in faults(f.type, f.name, bytes_allowed=(tag, f.name) in BYTES)]


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_no_field_of_an_event_can_hold_chosen_text(tag: str) -> None:
    assert faults_of(EVENT_TYPES[tag], tag) == []


class _Inner(Struct, frozen=True):
    note: str


class _Bad(Event, frozen=True, kw_only=True, tag="bad.v1"):
    user_id: UserId
    bare: str
    maybe: str | None
    many: tuple[str, ...]
    measured: float
    anything: Any
    inner: _Inner
    raw: bytes
    loose: Annotated[str, Meta(max_length=10)]
    with_spaces: Annotated[str, Meta(pattern=r"^[a-z ]+$(?!\n)")]
    unfinished: Annotated[str, Meta(pattern=r"^[a-z]+$")]
    mapped: dict[str, int]
    good: tuple[UUID, ...]
    when: datetime | None


def test_the_walk_finds_every_kind_of_fault() -> None:
    found = {fault.split(":")[0] for fault in faults_of(_Bad, "bad.v1")}
    expected = {"bare", "maybe", "many[]", "measured", "anything", "inner.note", "raw", "loose", "with_spaces", "unfinished", "mapped"}
    assert found == expected


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_every_sealed_field_is_listed_as_one(tag: str) -> None:
    fields: Any = shape.type_info(EVENT_TYPES[tag]).fields  # type: ignore[attr-defined]  # of a struct
    sealed = {f.name for f in fields if "Sealed" in repr(f.type)}
    assert set(SEALED_FIELDS[tag]) == sealed


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_a_tag_says_aggregate_what_happened_and_version(tag: str) -> None:
    aggregate, happened, version = tag.split(".")
    assert aggregate.isidentifier()
    assert happened.isidentifier()
    assert version == "v1"
