"""What may go of the log, and that nothing misses it."""

from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain import codec, session, session_state
from domain.codec import EVENT_TYPES, SEALED_FIELDS, tag_of
from domain.event import Event, Pruned, Recorded
from domain.ids import CommandId, CorrelationId, EventId
from domain.retention import ACTIVITY, KEPT, over_since, overtaken
from projections.projection import Entity, Gone, Versioned
from projections.sessions import sessions
from tests.domain import examples as ex
from tests.domain.examples import LATER
from tests.domain.histories import history
from tests.domain.test_session import STARTED, reused

STREAM = session.stream(ex.SESSION)


def _recorded(version: int, event: Event) -> Recorded[Any]:
    return Recorded(
        position=version, stream=STREAM, version=version, event_id=EventId(uuid4()), recorded_at=ex.NOW, actor="anonymous",
        session_id=None, command_id=CommandId(uuid4()), correlation_id=CorrelationId(uuid4()), causation_id=None, event=event,
    )  # fmt: skip


def _row(entity: Entity[Any], past: list[Event], without: list[int]) -> Versioned[Any] | Gone | None:
    row: Versioned[Any] | Gone | None = None
    for version, event in enumerate(past, 1):
        gone = Pruned(position=version, stream=STREAM, version=version, recorded_at=ex.NOW)
        row = entity.fold(row, gone if version in without else _recorded(version, event))
    return row


def test_of_every_event_it_is_said_how_long_it_is_kept() -> None:
    assert set(KEPT) == set(EVENT_TYPES)


def test_nothing_sealed_is_activity() -> None:
    assert [tag for tag in ACTIVITY if SEALED_FIELDS[tag]] == []


@given(past=history("session"))
def test_no_state_and_no_row_misses_what_was_overtaken(past: list[Any]) -> None:
    gone = overtaken((version, tag_of(event)) for version, event in enumerate(past, 1))
    left = [event for version, event in enumerate(past, 1) if version not in gone]
    assert codec.encode_state(session.decider.fold(left)) == codec.encode_state(session.decider.fold(past))
    assert _row(sessions, past, gone) == _row(sessions, past, [])


@given(tags=st.lists(st.sampled_from(sorted(tag for tag in EVENT_TYPES if tag.startswith("session.")))))
def test_only_activity_is_overtaken_and_never_the_last_of_it(tags: list[str]) -> None:
    gone = overtaken(enumerate(tags, 1))
    assert {tags[version - 1] for version in gone} <= ACTIVITY
    last = max((version for version, tag in enumerate(tags, 1) if tag in ACTIVITY), default=0)
    assert last not in gone


def test_a_refresh_before_a_rebase_stays_since_the_rebase_looks_at_it() -> None:
    tags = [
        "session.token_issued.v1",
        "session.token_issued.v1",
        "session.rebased.v1",
        "session.token_issued.v1",
        "session.token_issued.v1",
    ]
    assert overtaken(enumerate(tags, 1)) == [1, 4]


def test_a_session_is_over_when_it_ended_or_its_time_is_up() -> None:
    assert over_since(session_state.Absent()) is None
    assert over_since(session.decider.fold([STARTED])) == STARTED.expires_at
    assert over_since(session.decider.fold([STARTED, reused(1, 2, LATER)])) == LATER
