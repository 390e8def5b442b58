"""What an end ends, told by a plain model: however many come in one batch, with a name or for a whole kind, once or again."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.event import Recorded
from domain.ids import CommandId, CorrelationId, EventId, StreamName
from projections.generations import Generation
from projections.past.rights import rights
from projections.periods import Fact, Turn, Unwritten
from projections.table import save_periods
from tests.conftest import Database
from workers.projector import Projector

WHATS, NAMES = st.sampled_from(["role", "ban"]), st.sampled_from(["a", "b", "c"])
FACTS = st.builds(Fact, what=WHATS, name=NAMES)
TURNS = st.builds(
    Turn,
    begins=st.lists(FACTS, max_size=2, unique_by=lambda fact: (fact.what, fact.name)).map(tuple),
    ends=st.lists(WHATS | FACTS, max_size=2).map(tuple),
)
EVENTS = st.lists(st.tuples(st.sampled_from(["user-1", "user-2"]), TURNS, st.booleans()), max_size=24)
"""A stream, what happened in it, and whether a batch ends there."""
AT = datetime(2026, 11, 26, tzinfo=UTC)
TABLE = Generation(rights.name, rights.fold_version, 1)

Row = tuple[str, str, str, int, int | None]
Step = tuple[Recorded[Any], Turn]


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    projector = Projector(database.app_url)
    await projector.begin()
    await projector.close()
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


def batched(events: Sequence[tuple[str, Turn, bool]]) -> list[list[Step]]:
    batches, versions = list[list[Step]]([[]]), dict[str, int]()
    for position, (stream, turn, last) in enumerate(events, 1):
        versions[stream] = versions.get(stream, 0) + 1
        event: Recorded[Any] = Recorded(
            position=position, stream=StreamName(stream), version=versions[stream], event_id=EventId(UUID(int=position)), event=None,
            recorded_at=AT + timedelta(seconds=position), actor="system", session_id=None, command_id=CommandId(UUID(int=position)),
            correlation_id=CorrelationId(UUID(int=position)), causation_id=None,
        )  # fmt: skip
        batches[-1].append((event, turn))
        if last:
            batches.append([])
    return batches


def expected(batches: list[list[Step]]) -> list[Row]:
    """One event after the other: first it ends what went on, then it begins what begins."""
    rows = list[Row]()
    for event, turn in (step for batch in batches for step in batch):
        for index, (stream, what, name, since, until) in enumerate(rows):
            named = {(fact.what, fact.name) for fact in (*turn.begins, *turn.ends) if isinstance(fact, Fact)}
            if stream == event.stream and until is None and (what in turn.ends or (what, name) in named):
                rows[index] = (stream, what, name, since, event.position)
        rows += [(event.stream, fact.what, fact.name, event.position or 0, None) for fact in turn.begins]
    return sorted(rows)


async def written(connection: asyncpg.Connection, batches: list[list[Step]], *, times: int) -> list[Row]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        for batch in batches:
            unwritten = Unwritten()
            for event, turn in batch:
                unwritten.take(event, turn)
            for _ in range(times):
                await save_periods(connection, TABLE, unwritten)
        rows = await connection.fetch(f"SELECT stream, what, name, from_position, to_position FROM {TABLE.table}")
        return sorted(tuple(row) for row in rows)
    finally:
        await transaction.rollback()


@given(events=EVENTS, times=st.integers(1, 2))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_each_period_has_the_first_end_after_its_beginning(
    connection: asyncpg.Connection, events: list[tuple[str, Turn, bool]], times: int
) -> None:
    batches = batched(events)
    assert await written(connection, batches, times=times) == expected(batches)
