"""A page of the log is whole and of one moment, or it is none."""

import asyncio

import asyncpg
import pytest

from adapters.log_reader import LogBroken
from adapters.postgres import Link
from domain.errors import StoreUnavailable
from domain.tree.hashing import leaf_hash
from tests.integrator.conftest import Ground
from workers.integrator.reading import read_hashed


async def test_pages_of_any_length_are_the_log_s(ground: Ground) -> None:
    await ground.grow(40)
    await ground.as_owner("SELECT nextval('events_append_id_seq')")  # so that what comes is another run
    await ground.grow(30)
    hashes = [leaf_hash(entry) for entry in await ground.entries()]
    link = Link(ground.database.app_url)
    for after, limit in [(0, 70), (0, 1_000), (0, 40), (39, 2), (40, 5), (13, 50), (69, 1)]:
        page = await read_hashed(link, after, limit)
        assert page.hashes == hashes[after : after + limit]
        assert len(page.times) == len(page.hashes)
        assert (page.size, page.epoch) == (70, 1)
    assert (await read_hashed(link, 70, 5)).hashes == []
    await link.close()


@pytest.mark.parametrize(
    "harm", ["DELETE FROM events WHERE append_id = 20", "UPDATE log_runs SET n = n - 1", "UPDATE log_head SET size = size + 1"]
)
async def test_a_page_with_a_hole_is_refused(ground: Ground, harm: str) -> None:
    await ground.grow(40)
    await ground.as_owner(harm)
    link = Link(ground.database.app_url)
    with pytest.raises(LogBroken, match="between positions 11 and"):
        await read_hashed(link, 10, 100)
    await link.close()


async def test_what_is_read_together_is_of_one_moment_and_its_settings_stay_with_it(ground: Ground) -> None:
    await ground.grow(3)
    link = Link(ground.database.app_url)
    count = "SELECT count(*) FROM events"
    asked = asyncio.create_task(
        link.read_together(
            ("SELECT count(*), set_config('enable_seqscan', 'off', true) FROM events", ()),
            ("SHOW enable_seqscan", ()),
            ("SELECT pg_sleep($1)", (0.3,)),
            (count, ()),
        )
    )
    await asyncio.sleep(0.1)
    await ground.grow(2)
    ((first, _),), ((seqscan,),), _, ((then,),) = await asked
    assert (first, seqscan, then) == (3, "off", 3)
    assert (await link.read("SHOW enable_seqscan"))[0][0] == "on"
    assert (await link.read(count))[0][0] == 5
    await link.close()


async def test_what_is_read_together_survives_a_dead_connection_and_changes_nothing(ground: Ground) -> None:
    link = Link(ground.database.app_url)
    ((pid,),) = await link.read("SELECT pg_backend_pid()")
    await ground.as_owner(f"SELECT pg_terminate_backend({pid})")
    assert [len(rows) for rows in await link.read_together(("SELECT 1", ()), ("SELECT 1 WHERE false", ()))] == [1, 0]
    with pytest.raises(StoreUnavailable) as refused:
        await link.read_together(("CREATE TABLE made ()", ()))
    assert isinstance(refused.value.__cause__, asyncpg.ReadOnlySQLTransactionError)
    await link.close()
