"""The bytes that are hashed are the ones any language makes."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from domain.codec import encode_event, key_of, tag_of
from domain.errors import LeafTooLarge
from domain.event import Event
from domain.ids import CommandId, CorrelationId, EventId, StreamName
from domain.leaf import LONGEST, Leaf, encode_leaf, micros
from tests.domain.examples import ADA
from tests.domain.strategies import TIMES, any_event
from tests.domain.test_laws import canonical, quick

SOME_ID = UUID("0192f0c1-0000-7000-8000-0000000eeee1")


def leaf(payload: bytes, event: Event | None = None, at: int = 0) -> Leaf:
    return Leaf(
        event_id=EventId(SOME_ID),
        stream=StreamName(f"user-{ADA}"),
        version=1,
        type="user.reinstated.v1" if event is None else tag_of(event),
        recorded_at=at,
        actor="anonymous",
        session=None,
        command=CommandId(SOME_ID),
        correlation=CorrelationId(SOME_ID),
        causation=None,
        key_id=None if event is None else key_of(event),
        payload=Raw(payload),
    )


@quick
@given(any_event(), TIMES)
def test_a_leaf_is_rfc_8785(event: Event, at: datetime) -> None:
    encoded = encode_leaf(leaf(encode_event(event), event, micros(at)))
    assert encoded == canonical(msgspec.json.decode(encoded))


def test_a_leaf_says_these_things_and_no_place() -> None:
    members = {"v", "event_id", "stream", "version", "type", "recorded_at", "actor", "session"}
    members |= {"command", "correlation", "causation", "key_id", "payload"}
    assert set(msgspec.json.decode(encode_leaf(leaf(b"{}")))) == members


@given(st.integers(-(2**52), 2**52))
def test_times_are_exact_to_the_microsecond(n: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=n)
    assert micros(at) == n
    assert micros(at.astimezone(timezone(timedelta(hours=5, minutes=45)))) == n


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 11, 22))  # noqa: DTZ001 - that is the point


def test_an_entry_of_65535_bytes_is_the_longest() -> None:
    bare = len(encode_leaf(leaf(b'{"x":""}')))
    fitting = b'{"x":"' + b"a" * (LONGEST - bare) + b'"}'
    assert len(encode_leaf(leaf(fitting))) == LONGEST == 65_535
    with pytest.raises(LeafTooLarge) as refused:
        encode_leaf(leaf(fitting.replace(b"aa", b"aaa", 1)))
    assert "65536" in str(refused.value)
