"""What was once written is read for ever, as what it is called today."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from domain import codec
from domain.errors import UnknownEventTag
from domain.event import Event
from domain.ids import UserId
from domain.legacy import LEGACY, STEPS, upcast
from tests.domain.examples import ADA, NOW


class MovedV1(Event, frozen=True, kw_only=True, tag="test.moved.v1"):
    user_id: UserId
    metres: int


class MovedV2(Event, frozen=True, kw_only=True, tag="test.moved.v2"):
    user_id: UserId
    millimetres: int


class MovedV3(Event, frozen=True, kw_only=True, tag="test.moved.v3"):
    user_id: UserId
    micrometres: int


MOVED_STEPS: Mapping[type[Event], Callable[[Any], Event]] = {
    MovedV1: lambda e: MovedV2(user_id=e.user_id, millimetres=e.metres * 1_000, at=e.at),
    MovedV2: lambda e: MovedV3(user_id=e.user_id, micrometres=e.millimetres * 1_000, at=e.at),
}


def test_an_old_event_is_brought_to_the_newest_step_by_step() -> None:
    old = MovedV1(user_id=ADA, metres=2, at=NOW)
    assert upcast(old, MOVED_STEPS) == MovedV3(user_id=ADA, micrometres=2_000_000, at=NOW)


def test_an_event_of_today_comes_back_as_it_is() -> None:
    newest = MovedV3(user_id=ADA, micrometres=1, at=NOW)
    assert upcast(newest, MOVED_STEPS) is newest


def test_an_unknown_tag_stops_the_reader() -> None:
    payload = codec.encode_event(MovedV1(user_id=ADA, metres=2, at=NOW))
    with pytest.raises(UnknownEventTag) as unknown:
        codec.decode_event("test.moved.v1", payload)
    assert unknown.value.tag == "test.moved.v1"


def test_a_payload_under_anothers_tag_is_not_read_as_either() -> None:
    payload = b'{"at":"2026-11-22T09:30:00Z","type":"role.retired.v1","role":"editor","definition":2}'
    with pytest.raises(msgspec.ValidationError):
        codec.decode_event("role.defined.v1", payload)


def test_every_legacy_event_has_its_step_and_none_is_written_today() -> None:
    assert set(LEGACY) == set(STEPS)
    assert not {str(t.__struct_config__.tag) for t in LEGACY} & set(codec.EVENT_TYPES)
