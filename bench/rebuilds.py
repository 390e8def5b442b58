"""How fast a read model is made anew from the log, and the log replayed."""

from pathlib import Path

import asyncpg

from adapters.embedded_postgres import PostgresServer
from bench import fill, replays
from bench.scale import Measuring
from migrations import runner
from workers.rebuild import rebuild


async def measure(folder: Path, measuring: Measuring) -> None:
    """On a log of accounts and sessions; every event of it is read for either."""
    postgres = PostgresServer(folder / "postgres")
    await postgres.start()
    try:
        connection = await asyncpg.connect(postgres.owner_url)
        try:
            await runner.migrate(connection)
        finally:
            await connection.close()
        measuring.told(f"filling a log with {measuring.scale.rebuilt_events:,} real events")
        await fill.real_histories(postgres.owner_url, measuring.scale.rebuilt_events)
        for _ in range(measuring.scale.rounds):
            measuring.told("rebuild")
            sessions = await rebuild(postgres.app_url, "sessions")
            users = await rebuild(postgres.app_url, "users")
            measuring.rounds.add(rebuild_sessions=sessions.events / sessions.seconds, rebuild_users=users.events / users.seconds)
            measuring.told("replay")
            await replays.measure(postgres.app_url, measuring)
    finally:
        await postgres.stop()
