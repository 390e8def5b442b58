"""Checkpoints thin out behind the log: all for an hour, one of each minute for a day, one of each hour after that (docs/adr/0066)."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.integrator.conftest import Ground, settle
from workers.integrator import thinning
from workers.integrator.thinning import Thinning

KILLED = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE $1::bigint + $2::bigint + $3::bigint >= 0"


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


async def publish(ground: Ground, *at: datetime, cosigned: frozenset[int] = frozenset()) -> None:
    """Have a checkpoint of 1, 2, 3 ... events, each published at its time."""
    worker = ground.integrator()
    for size, moment in enumerate(at, 1):
        await ground.grow(1)
        await settle(worker)
        lines = ", cosigned = note" if size in cosigned else ""
        await ground.as_owner(f"UPDATE log_checkpoints SET published_at = '{moment.isoformat()}'{lines} WHERE size = {size}")


async def thinned(ground: Ground) -> list[int]:
    """Walk through all of them once, and give the sizes of those that are left."""
    walk = Thinning(ground.links)
    while not walk._due:
        await walk.step()
    assert await walk.step() == 0
    return await left(ground)


async def left(ground: Ground) -> list[int]:
    return [row[0] for row in await ground.links.read("SELECT size FROM log_checkpoints ORDER BY epoch, size")]


@pytest.mark.parametrize("rows", [1, 2, 500])
async def test_one_of_each_hour_then_of_each_minute_then_all(ground: Ground, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(thinning, "ROWS", rows)
    hour, minute = ago(hours=50).replace(minute=0, second=0), ago(hours=5).replace(second=0)
    hours = [hour + timedelta(minutes=n) for n in (1, 20, 59, 61)]
    minutes = [minute + timedelta(seconds=n) for n in (1, 2, 59, 61, 62)]
    await publish(ground, *hours, *minutes, ago(minutes=30), ago(minutes=30), ago(seconds=1))
    assert await thinned(ground) == [3, 4, 7, 9, 10, 11, 12]
    assert await thinned(ground) == [3, 4, 7, 9, 10, 11, 12], "and no more the next time"


async def test_the_last_that_witnesses_signed_of_its_time_stays(ground: Ground) -> None:
    hour = ago(hours=50).replace(minute=0, second=0)
    await publish(ground, *(hour + timedelta(minutes=n) for n in range(1, 6)), cosigned=frozenset({1, 2}))
    assert await thinned(ground) == [2, 5]


async def test_the_newest_stays_however_old_it_is(ground: Ground) -> None:
    day = ago(days=400).replace(minute=0, second=0)
    await publish(ground, day, day + timedelta(seconds=1))
    assert await thinned(ground) == [2]


async def test_the_owner_deletes_none_that_stays(ground: Ground) -> None:
    hour = ago(hours=50).replace(minute=0, second=0)
    await publish(ground, hour, hour + timedelta(minutes=1))
    owner = await asyncpg.connect(ground.database.owner_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute("DELETE FROM log_checkpoints")
        assert await owner.execute("DELETE FROM log_checkpoints WHERE size = 1") == "DELETE 1"
    finally:
        await owner.close()


async def test_a_walk_that_is_broken_off_is_gone_on_with_later_and_stops_nobody(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "ROWS", 1)
    hour = ago(hours=50).replace(minute=0, second=0)
    await publish(ground, *(hour + timedelta(minutes=n) for n in range(4)))
    walk = Thinning(ground.links)
    assert await walk.step() == 1
    with monkeypatch.context() as patch:
        patch.setitem(thinning.SQL, "thin_checkpoints", KILLED)
        assert await walk.step() == 0
        assert walk._due, "not at once"
    walk._due = 0.0
    assert await walk.step() == 1
    assert await left(ground) == [3, 4]


async def test_the_integrator_does_it_beside_its_work(ground: Ground) -> None:
    hour = ago(hours=50).replace(minute=0, second=0)
    await publish(ground, *(hour + timedelta(minutes=n) for n in range(5)))
    stop = asyncio.Event()
    running = asyncio.create_task(ground.integrator().run(stop))
    async with asyncio.timeout(10):
        while await left(ground) != [5]:
            await asyncio.sleep(0.01)
    stop.set()
    await running
