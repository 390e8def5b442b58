"""How fast it is said who could do something at a moment of the past."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import perf_counter

import asyncpg

from adapters.embedded_postgres import PostgresServer
from bench.scale import Measuring
from domain.permission import Permission
from migrations import runner
from projections.past.moments import Moment
from projections.past.rights import rights
from projections.past.who_can import who_can
from projections.reading import ReadModels
from workers.projector import Projector

EVENTS_A_USER = 10
_ASKED = (Permission("me.read"), Permission("tasks.write"))
"""One that everybody has, and one that few have, each for a while, time and again."""
_INTO = "INSERT INTO {table} (stream, what, name, number, from_position, from_at, from_event, to_position, to_at, to_event)"
_FILL = (
    """SELECT 'user-' || md5(n::text)::uuid, 'role', 'user', NULL, n * 10, now(), gen_random_uuid(), NULL::bigint, NULL::timestamptz,
              NULL::uuid FROM generate_series(1, $1::bigint) n""",
    """SELECT 'user-' || md5(n::text)::uuid, 'role', 'editor', NULL, n * 10 + k * 3 + 1, now(), gen_random_uuid(),
              CASE WHEN n % 3 > 0 OR k < 2
                   THEN n * 10 + k * 3 + 2 + CASE WHEN k = 2 THEN (hashint8(n) & 2097151) % ($1 * 10 - n * 10) ELSE 0 END END,
              now(), gen_random_uuid() FROM generate_series(10, $1::bigint - 1, 10) n, generate_series(0, 2) k""",
    """SELECT 'user-' || md5(n::text)::uuid, 'suspended', '', NULL, n * 10 + 5, now(), gen_random_uuid(), NULL::bigint, NULL::timestamptz,
              NULL::uuid FROM generate_series(7, $1::bigint, 100) n""",
    """SELECT 'role-' || role, what, name, 1, 1, now(), gen_random_uuid(), NULL::bigint, NULL::timestamptz, NULL::uuid
       FROM (VALUES ('user', 'defined', ''), ('user', 'gives', 'me.read'), ('editor', 'defined', ''), ('editor', 'gives', 'tasks.*'))
            AS v (role, what, name) WHERE $1::bigint > 0""",
)


async def measure(folder: Path, measuring: Measuring) -> None:
    """Of a read model that is written as the log would have it: what is asked here never looks at the events themselves."""
    postgres = PostgresServer(folder / "postgres")
    await postgres.start()
    try:
        owner = await asyncpg.connect(postgres.owner_url)
        await runner.migrate(owner)
        await owner.close()
        projector = Projector(postgres.app_url)
        await projector.begin()
        await projector.close()
        users = measuring.scale.users_then
        measuring.told(f"filling the past of {users:,} users")
        async with asyncpg.create_pool(postgres.app_url, min_size=1, max_size=1) as pool:
            models = ReadModels(pool)
            await _fill(postgres.app_url, (await models.generation(rights)).table, users)
            for round_ in range(measuring.scale.rounds):
                measuring.told("who could do it")
                measuring.rounds.add(who_can_p99=await _asked(models, users, measuring.scale.asked_then, Random(round_)))
    finally:
        await postgres.stop()


async def _fill(url: str, into: str, users: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"transaction_timeout": "0", "statement_timeout": "0"})
    for rows in _FILL:
        await connection.execute(f"{_INTO.replace('{table}', into)} {rows}", users)
    await connection.execute(f"ANALYZE {into}")
    await connection.close()


async def _asked(models: ReadModels, users: int, times: int, chance: Random) -> float:
    """Give the 99th percentile in ms of pages of 50, first ones and second ones, at random moments."""
    took: list[float] = []
    for turn in range(times):
        position = chance.randrange(EVENTS_A_USER, users * EVENTS_A_USER)
        then = Moment(position=position, epoch=1, at=datetime.now(UTC), log_time=None, checkpoint=None)
        after = None
        for _ in range(2):
            began = perf_counter()
            page = await who_can(models, _ASKED[turn % 2], then, after=after)
            took.append((perf_counter() - began) * 1_000)
            after = page.next_after
            if after is None:
                break
    return sorted(took)[int(len(took) * 0.99)]
