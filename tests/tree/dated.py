"""Logs whose events were recorded at chosen times: clocks that stand, jump and run backwards."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from workers.sequencer import Sequencer

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

WRITE = """
INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload, recorded_at)
SELECT 'dated-' || gen_random_uuid(), 1, 'test.happened.v1', 0, gen_random_uuid(), 'system', gen_random_uuid(), gen_random_uuid(), '{}', at
FROM unnest($1::timestamptz[]) WITH ORDINALITY AS d (at, n) ORDER BY n
"""


def moment(second: float) -> datetime:
    return BEGAN + timedelta(seconds=second)


async def write_dated(owner_url: str, app_url: str, times: Sequence[datetime]) -> None:
    """Add an event for each time, in that order, with a position."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(WRITE, list(times))
    finally:
        await connection.close()
    sequencer = Sequencer(app_url)
    await sequencer.step()
    await sequencer.close()


def log_times(times: Sequence[datetime]) -> list[datetime]:
    """The time in the log at each position, by the rule itself."""
    reached: list[datetime] = []
    for at in times:
        reached.append(max(at, reached[-1]) if reached else at)
    return reached
