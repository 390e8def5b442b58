"""The tree grows with the log, whoever is killed on the way, and what is stored of it is enough to read it."""

import asyncio
from hashlib import sha256

import pytest

from adapters.second_place import PlaceAway
from domain.tree.edge import Edge
from domain.tree.hashing import leaf_hash
from domain.tree.proofs import check_consistency, check_inclusion
from tests.domain import naive_tree
from tests.integrator.conftest import Ground, settle
from workers.integrator import integrator
from workers.integrator.growing import TreeBroken


async def test_the_checkpoint_is_of_every_event_in_order(ground: Ground) -> None:
    await ground.grow(300)
    await settle(ground.integrator())
    checkpoint = await ground.checkpoint()
    assert (checkpoint.origin, checkpoint.size) == ("id.example.org/log", 300)
    assert checkpoint.root == naive_tree.root(await ground.entries())
    stored = await ground.tree.newest()
    assert stored is not None
    assert (stored.epoch, stored.size, stored.root, stored.note) == (1, 300, checkpoint.root, (await ground.published()).note)


async def test_an_empty_log_has_no_checkpoint(ground: Ground) -> None:
    await settle(ground.integrator())
    assert await ground.place.names("") == []
    assert await ground.tree.newest() is None


@pytest.mark.parametrize("steps", [[1, 1, 1], [255, 1, 1], [256, 256, 3], [700]])
async def test_one_begun_anew_goes_on_where_the_last_one_was(ground: Ground, steps: list[int]) -> None:
    for more in steps:
        await ground.grow(more)
        await settle(ground.integrator())
    assert (await ground.checkpoint()).root == naive_tree.root(await ground.entries())


async def test_tiles_of_two_levels_are_stored_and_read(ground: Ground) -> None:
    """Of a log whose first events are not there any more, only what they hashed to."""
    hashes = [sha256(b"%d" % n).digest() for n in range(65_280)]
    await ground.begin_with(hashes)
    await ground.grow(700)
    await settle(ground.integrator())
    hashes += [leaf_hash(entry) for entry in await ground.entries(after=65_280)]
    whole = Edge()
    full = {(tile.level, tile.tile): tile for tile in whole.add(hashes)}
    root = (await ground.checkpoint()).root
    assert root == whole.root()
    tree = ground.tree
    for place in [(0, 0), (0, 254), (0, 255), (0, 256), (1, 0)]:
        assert await tree.tile(*place) == full[place].hashes, place
    assert await tree.tile(0, 257, 188) == b"".join(hashes[257 * 256 :])
    assert await tree.tile(1, 1, 1) == full[0, 256].root
    assert await tree.tile(2, 0, 1) == full[1, 0].root == await tree.root(65_536)
    assert await tree.tile(0, 258, 1) is None
    assert await tree.tile(1, 1, 2) is None
    assert await tree.leaf_hashes(65_200, 500) == hashes[65_200:65_700]
    assert await tree.leaf_hashes(65_900, 500) == hashes[65_900:]
    for index in (0, 255, 256, 65_535, 65_536, 65_979):
        check_inclusion(await tree.inclusion(index, 65_980), index=index, size=65_980, leaf=hashes[index], root=root)
    for first in (1, 256, 65_535, 65_536, 65_800, 65_980):
        path = await tree.consistency(first, 65_980)
        check_consistency(path, first=first, second=65_980, first_root=await tree.root(first), second_root=root)


async def test_two_integrators_at_once_make_one_tree(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrator, "STANDBY_SECONDS", 0.02)
    monkeypatch.setattr(integrator, "PACE_SECONDS", 0.001)
    stop = asyncio.Event()
    running = [asyncio.create_task(ground.integrator().run(stop)) for _ in range(2)]
    for _ in range(6):
        await ground.grow(130)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(20):
        while (stored := await ground.tree.newest()) is None or stored.size < 780:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*running)
    assert not [seen.halted for seen in ground.seen if seen.halted]
    assert (await ground.checkpoint()).root == naive_tree.root(await ground.entries())


async def test_killed_between_second_place_and_table_it_is_made_good(ground: Ground) -> None:
    await ground.grow(10)
    await settle(ground.integrator())
    await ground.as_owner("DELETE FROM log_checkpoints")
    await settle(ground.integrator())
    stored = await ground.tree.newest()
    assert stored is not None
    assert (stored.size, stored.note) == (10, (await ground.published()).note)


async def test_killed_before_a_tile_was_stored_it_is_made_again(ground: Ground) -> None:
    await ground.grow(300)
    await settle(ground.integrator())
    await ground.as_owner("DELETE FROM log_tiles", "DELETE FROM log_times")
    await settle(ground.integrator())
    assert await ground.tree.root(256) == naive_tree.root((await ground.entries())[:256])


async def test_a_full_tile_s_time_is_the_newest_so_far(ground: Ground) -> None:
    await ground.grow(300)
    await ground.grow(300)  # whose clock begins anew
    await settle(ground.integrator())
    rows = await ground.links.read("SELECT latest = (SELECT log_time((tile + 1) * 256)) FROM log_times ORDER BY tile")
    assert [row[0] for row in rows] == [True, True]


async def test_a_tile_that_is_not_the_log_s_halts(ground: Ground) -> None:
    """Two integrators whose code disagrees, or a hand in the table."""
    await ground.grow(200)
    worker = ground.integrator()
    await settle(worker)
    await ground.as_owner(
        "INSERT INTO log_tiles VALUES (0, 0, repeat('x', 8192)::bytea, sha256(''))", "INSERT INTO log_times VALUES (0, now())"
    )
    await ground.grow(100)
    with pytest.raises(TreeBroken, match="another tile"):
        await settle(worker)


async def test_missing_tiles_halt(ground: Ground) -> None:
    await ground.grow(600)
    await settle(ground.integrator())
    await ground.as_owner("DELETE FROM log_tiles WHERE tile = 0")
    with pytest.raises((TreeBroken, ValueError)):
        await settle(ground.integrator())


async def test_while_the_second_place_is_away_nothing_is_published(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.grow(10)
    worker = ground.integrator()

    async def away(*_: object, **__: object) -> str:
        raise PlaceAway("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ground.place, "put", away)
        with pytest.raises(PlaceAway):
            await worker.step()
    assert await ground.tree.newest() is None
    await settle(worker)
    assert (await ground.checkpoint()).size == 10


async def test_what_was_kept_but_reported_lost_is_found_again(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.grow(10)
    worker, put = ground.integrator(), ground.place.put

    async def lost(name: str, data: bytes, *, expect: str | None) -> str:
        await put(name, data, expect=expect)
        raise PlaceAway("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(ground.place, "put", lost)
        with pytest.raises(PlaceAway):
            await worker.step()
    await settle(worker)
    stored = await ground.tree.newest()
    assert stored is not None
    assert stored.size == 10


async def test_checkpoints_keep_a_pace_and_the_last_events_are_not_forgotten(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.2)
    monkeypatch.setattr(integrator, "PACE_SECONDS", 0.01)
    stop, worker = asyncio.Event(), ground.integrator()
    running = asyncio.create_task(worker.run(stop))
    for _ in range(10):
        await ground.grow(1)
        worker.hint.set()
    async with asyncio.timeout(10):
        while (stored := await ground.tree.newest()) is None or stored.size < 10:
            await asyncio.sleep(0.01)
    stop.set()
    await running
    published = [seen for seen in ground.seen if seen.lag_s is not None]
    assert 1 <= len(published) < 10
    assert published[-1].published == 10


async def test_a_page_at_a_time(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrator, "MOST_EVENTS", 100)
    await ground.grow(250)
    worker = ground.integrator()
    assert [await worker.step() for _ in range(4)] == [100, 100, 50, 0]
