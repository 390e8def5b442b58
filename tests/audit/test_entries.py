"""Entries made in bulk are those that one event is hashed as, and the tree over them is the tree."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.leaves import leaf_bytes
from commands.ports import StoredEvent
from domain.ids import StreamName
from domain.leaf import micros
from tests.domain import naive_tree
from workers.audit.entries import entry_of
from workers.audit.frontier import Frontier

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.uuids()
HOSTILE = 'a","causation":"x\\\x00\x1f\x7f\u2028é𝄞'


def row_of(event: StoredEvent) -> tuple[Any, ...]:
    ids = (event.session_id, event.command_id, event.correlation_id, event.causation_id, event.key_id)
    named = tuple(None if each is None else str(each) for each in ids)
    at = micros(event.recorded_at)
    return (1, event.stream, event.version, event.type, str(event.event_id), at, event.actor, *named, event.payload)


EVENTS = st.builds(
    StoredEvent,
    position=st.just(1), append_id=st.just(1), stream=TEXTS, version=st.integers(1, 2**31 - 1), type=TEXTS, event_id=IDS,
    recorded_at=st.integers(-(10**15), 10**15).map(lambda at: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)),
    actor=TEXTS, session_id=st.none() | IDS, command_id=IDS, correlation_id=IDS, causation_id=st.none() | IDS, key_id=st.none() | IDS,
    payload=st.just('{"type":"x","é":[1,null]}'.encode()),
)  # fmt: skip


@given(EVENTS, st.booleans())
def test_an_entry_made_in_bulk_is_the_leaf(event: StoredEvent, hostile: bool) -> None:
    if hostile:
        event = replace(event, stream=StreamName(HOSTILE), actor=HOSTILE, type=HOSTILE)
    assert entry_of(row_of(event)) == leaf_bytes(event)


@given(st.lists(st.binary(max_size=3), max_size=70), st.data())
def test_a_tree_grown_in_any_pieces_has_its_root(entries: list[bytes], data: st.DataObject) -> None:
    tree, at = Frontier(), 0
    while at < len(entries):
        fitting = [height for height in range(7) if at % (1 << height) == 0 and at + (1 << height) <= len(entries)]
        height = data.draw(st.sampled_from(fitting))
        tree.add(naive_tree.root(entries[at : at + (1 << height)]), height)
        at += 1 << height
    assert tree.root() == naive_tree.root(entries)
