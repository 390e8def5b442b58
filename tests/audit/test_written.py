"""What the database compares in place of a journal's own code is what that code copies."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.event import Event, Recorded
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName
from projections.catalogue import ALL
from projections.projection import Journal
from tests.golden.examples import EXAMPLES

JOURNALS: list[Journal[Any]] = [of for of in ALL if isinstance(of, Journal)]


@pytest.mark.parametrize("journal", JOURNALS, ids=lambda journal: journal.name)
def test_copies_are_the_logs_own_columns(journal: Journal[Any]) -> None:
    for example in EXAMPLES:
        recorded = _recorded(example)
        row = journal.write(recorded)
        if row is not None:
            assert [getattr(row, name) for name in journal.copies] == [getattr(recorded, name) for name in journal.copies]


def _recorded(event: Event) -> Recorded[Event]:
    """No two of its columns are alike."""
    return Recorded(
        position=44, stream=StreamName("other-stream"), version=7, event_id=EventId(uuid4()), recorded_at=datetime.now(UTC),
        actor="system:other", session_id=SessionId(uuid4()), command_id=CommandId(uuid4()), correlation_id=CorrelationId(uuid4()),
        causation_id=EventId(uuid4()), event=event,
    )  # fmt: skip
