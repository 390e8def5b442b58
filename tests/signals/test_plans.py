"""What is asked of the set of live signals for every signal stays on its indexes however large the set has grown."""

import asyncio

import asyncpg

from adapters.signal_rows import SignalRows
from tests.conftest import Database
from workers.signals.due import Acknowledged
from workers.signals.outbox import Outbox, Row

FILL = """
INSERT INTO live_signals (class, subject, count, fact, until)
SELECT 'access', 'sig.v1.access.session.' || gen_random_uuid(), 1000000 + n, '{}', clock_timestamp() + interval '1 hour'
FROM generate_series(1, 20000) n;
UPDATE signal_classes SET count = 1020000 WHERE class = 'access';
"""


async def scans(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    await asyncio.sleep(1.2)  # backends report their counters when idle, at most once a second
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    found: int = await connection.fetchval("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'live_signals'")
    return found


async def test_a_plan_made_while_the_set_was_small_is_good_when_it_is_not(database: Database) -> None:
    outbox, rows = Outbox(database.app_url), SignalRows(database.app_url)
    await outbox.begin()
    position = 0

    async def use() -> None:
        nonlocal position
        told = [Row("access", f"sig.v1.access.session.{position}", b"{}", 2_000_000_000)]
        assert await outbox.fold(position, position + 1, epoch=1, life=300, told=[], rows=told)
        position += 1
        (due,) = await outbox.due(500, [Acknowledged("access", 1, position - 2, 0)])
        await outbox.fact_of("access", due.newest)
        await rows.after("access", due.newest - 2, 500)

    owner = await asyncpg.connect(database.owner_url)
    try:
        await use()
        await owner.execute("ANALYZE live_signals")
        for _ in range(8):
            await use()
        await owner.execute(FILL)
        await owner.execute("UPDATE signal_classes SET sent = 1019999 WHERE class = 'access'")
        before = await scans(owner)
        for _ in range(3):
            await use()
        assert await scans(owner) == before
    finally:
        await owner.close()
        await outbox.close()
        await rows.aclose()
