"""A moment becomes a position by one rule, whatever clocks did."""

import random
from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import pytest

from tests.conftest import Database
from tests.tree.dated import log_times, moment, write_dated

TILE = 256


@pytest.fixture
async def times(database: Database) -> list[datetime]:
    """Of a log of three full tiles and an edge, by clocks that run on, back, and stand still."""
    chance = random.Random(7)
    chosen = [moment(n / 4 + chance.choice([0, 0, 0, -90, -3, 20])) for n in range(3 * TILE + 50)]
    chosen[300:320] = [moment(80)] * 20
    await write_dated(database.owner_url, database.app_url, chosen)
    return chosen


@pytest.fixture
async def connection(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def store_times(connection: "asyncpg.Connection[asyncpg.Record]", times: list[datetime], tiles: int) -> None:
    reached = log_times(times)
    await connection.fetchval(
        "SELECT store_tiles($1, $2, $3, $4, $5)",
        [0] * tiles, list(range(tiles)), [bytes(8192)] * tiles, [bytes(32)] * tiles,
        [reached[(n + 1) * TILE - 1] for n in range(tiles)],
    )  # fmt: skip


@pytest.mark.parametrize("tiles", [0, 1, 3])
async def test_a_moment_is_the_last_position_whose_log_time_is_not_after_it(
    connection: "asyncpg.Connection[asyncpg.Record]", times: list[datetime], tiles: int
) -> None:
    if tiles:
        await store_times(connection, times, tiles)
    reached = log_times(times)
    asked = [moment(-1000), moment(1000), *random.Random(8).sample(times, 40), *(moment(n * 5.01) for n in range(40))]
    asked += [reached[n] for n in (0, 255, 256, 511, 512, 767, 768, len(reached) - 1)]
    for at in asked:
        found = await connection.fetchval("SELECT position_at($1)", at)
        assert found == sum(each <= at for each in reached), at


@pytest.mark.parametrize("tiles", [0, 1, 3])
async def test_the_log_time_of_a_position_never_runs_backwards(
    connection: "asyncpg.Connection[asyncpg.Record]", times: list[datetime], tiles: int
) -> None:
    if tiles:
        await store_times(connection, times, tiles)
    reached = log_times(times)
    for position in [*range(1, len(reached), 13), 255, 256, 257, 511, 512, 513, 768, 769, len(reached)]:
        assert await connection.fetchval("SELECT log_time($1)", position) == reached[position - 1], position


async def test_what_has_no_position_has_no_log_time(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    assert await connection.fetchval("SELECT log_time(0)") is None
    assert await connection.fetchval("SELECT log_time(1)") is None
    assert await connection.fetchval("SELECT position_at(now())") == 0
