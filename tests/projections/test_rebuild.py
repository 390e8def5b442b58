"""Rebuilding beside a serving read model, going back, and putting parked streams right."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from domain import user
from domain.ids import RoleName
from domain.user_events import RoleGranted
from projections import audit_events, generations, users
from projections.catalogue import BY_NAME
from tests.golden.log.stored import digest_of
from tests.projections.conftest import World
from tests.projections.histories import broken_event, now
from workers.parking import unpark
from workers.rebuild import RebuildRefused, rebuild
from workers.standing import parked_streams, standings


async def test_readers_go_to_the_rebuilt_table_and_back(world: World) -> None:
    await world.scribe.user()
    await world.project()
    built = await rebuild(world.app_url, "users")
    assert (built.switched, built.generation, built.checked) == (True, 2, 1)
    serving = {standing.generation for standing in await standings(world.connection) if standing.name == "users" and standing.serving}
    assert serving == {2}
    assert await generations.switch_back(world.connection, users.users) == 1


async def test_the_previous_generation_is_kept_up_to_date(world: World) -> None:
    await world.scribe.user()
    await rebuild(world.app_url, "users")
    await world.scribe.user()
    await world.project()
    tables = [await world.dump(f"read.users_v5_g{number}") for number in (1, 2)]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 2


async def test_generations_older_than_the_previous_are_dropped(world: World) -> None:
    for _ in range(3):
        await rebuild(world.app_url, "roles")
    left = [standing.generation for standing in await standings(world.connection) if standing.name == "roles"]
    assert left == [3, 4]
    with pytest.raises(asyncpg.UndefinedTableError):
        await world.dump("read.roles_v1_g2")


async def test_a_table_being_built_is_not_built_twice_at_once(world: World) -> None:
    assert await generations.begin_building(world.connection, users.users) is not None
    with pytest.raises(RebuildRefused):
        await rebuild(world.app_url, "users")


async def test_what_services_are_told_is_not_rebuilt_as_a_read_model_and_that_is_said(world: World) -> None:
    with pytest.raises(RebuildRefused, match="mends itself"):
        await rebuild(world.app_url, "signals")


async def test_what_a_dead_rebuild_left_is_removed_by_the_next(world: World) -> None:
    await world.scribe.user()
    await generations.begin_building(world.connection, users.users)
    await world.connection.execute("UPDATE projection_state SET moved_at = moved_at - interval '2 minutes' WHERE status = 'building'")
    assert (await rebuild(world.app_url, "users")).switched


async def test_a_damaged_row_is_found_by_the_check(world: World) -> None:
    from workers import rebuild_check

    await world.scribe.user()
    await world.project()
    await world.connection.execute("UPDATE read.users_v5_g1 SET roles = '{admin}'")
    generation = await world.models.generation(users.users)
    checked, differing = await rebuild_check.sample(world.connection, users.users, generation)
    assert (checked, len(differing)) == (1, 1)


async def test_a_missing_row_is_found_by_the_check(world: World) -> None:
    from workers import rebuild_check

    await world.scribe.user()
    await world.project()
    await world.connection.execute("DELETE FROM read.users_v5_g1")
    generation = await world.models.generation(users.users)
    assert len((await rebuild_check.sample(world.connection, users.users, generation))[1]) == 1


async def test_rebuilding_under_load_fails_no_request_and_loses_no_event(world: World) -> None:
    for _ in range(20):
        await world.scribe.user()
    await world.project()
    stop = asyncio.Event()
    reads = 0

    async def keep_writing() -> None:
        while not stop.is_set():
            await world.scribe.user()
            await world.project()

    async def keep_reading() -> None:
        nonlocal reads
        while not stop.is_set():
            assert (await users.page(world.models)).rows
            assert (await audit_events.page(world.models)).rows
            reads += 1

    busy = [asyncio.create_task(keep_writing()), asyncio.create_task(keep_reading())]
    of_each_kind = ("users", "audit_events", "rights")
    try:
        for name in of_each_kind:
            await rebuild(world.app_url, name)
            assert await generations.switch_back(world.connection, BY_NAME[name]) == 1
            await rebuild(world.app_url, name)
    finally:
        stop.set()
        await asyncio.gather(*busy)
    await world.project()
    assert reads > 0
    for name in of_each_kind:
        serving, kept = await generations.served(world.connection, BY_NAME[name]), await generations.fed(world.connection, BY_NAME[name])
        assert serving == kept[-1]
        tables = [await digest_of(world.connection, generation.table) for generation in kept]
        assert len(tables) > 1
        assert len(set(tables)) == 1, f"{name}: what was built while it was written to is what was there"
    generation = await generations.served(world.connection, users.users) or pytest.fail("nothing serves")
    assert len(await world.dump(generation.table)) == len(world.scribe.versions)


async def test_a_rebuild_parks_what_the_live_projection_parks(world: World) -> None:
    broken = await world.scribe.user()
    await world.scribe.write(user.stream(broken), raw=[broken_event()])
    await world.project()
    built = await rebuild(world.app_url, "users")
    parked = {(p.generation, p.stream, p.position) for p in await parked_streams(world.connection) if p.name == "users"}
    assert parked == {(1, user.stream(broken), 3), (built.generation, user.stream(broken), 3)}


async def test_an_unparked_stream_catches_up(world: World) -> None:
    user_id = await world.scribe.user()
    await world.project()
    await world.scribe.write(user.stream(user_id), RoleGranted(user_id=user_id, role=RoleName("editor"), roles_version=2, at=now()))
    for name in ("users", "audit_events"):
        await world.connection.execute(
            "INSERT INTO projection_parked (name, version, stream, position, reason) VALUES ($1, 1, $2, 3, 'a fault mended since')",
            name,
            user.stream(user_id),
        )
    await world.project()
    assert (await users.page(world.models)).rows[0].roles == ("user",)
    for name in ("users", "audit_events"):
        (outcome,) = await unpark(world.connection, BY_NAME[name], user.stream(user_id))
        assert (outcome.events, outcome.reason) == (1, None)
    assert (await users.page(world.models)).rows[0].roles == ("editor", "user")
    assert len(await world.dump("read.audit_events_v1_g1")) == 3
    assert list(await parked_streams(world.connection)) == []


async def test_a_stream_that_still_cannot_be_folded_stays_parked(world: World) -> None:
    broken = await world.scribe.user()
    await world.scribe.write(user.stream(broken), raw=[broken_event()])
    await world.project()
    (outcome,) = await unpark(world.connection, users.users, user.stream(broken))
    assert outcome.reason is not None
    assert "users" in {parked.name for parked in await parked_streams(world.connection)}


async def test_two_projectors_share_the_work_and_do_it_once(world: World) -> None:
    from workers.projector import Projector

    other = Projector(world.app_url)
    stop = asyncio.Event()

    async def run(projector: Projector) -> None:
        while not stop.is_set():
            await projector.step()

    tasks = [asyncio.create_task(run(projector)) for projector in (world.projector, other)]
    for _ in range(30):
        await world.scribe.session(await world.scribe.user())
        await world.sequencer.step()
    stop.set()
    await asyncio.gather(*tasks)
    await other.close()
    await world.project()
    assert len(await world.dump("read.audit_events_v1_g1")) == 120
    assert {row["version"] for row in await world.dump("read.sessions_v3_g1")} == {2}


@pytest.mark.parametrize("ranges", [1, 3, 64])
async def test_slots_shared_among_feeds_lose_nothing(world: World, ranges: int) -> None:
    from workers.projector import Projector

    await world.scribe.user()
    await world.project()
    sharing = Projector(world.app_url, ranges=ranges)
    with suppress(asyncio.CancelledError):
        await sharing.begin()
    for _ in range(20):
        await world.scribe.user()
    await world.sequencer.step()
    while await sharing.step():
        pass
    await sharing.close()
    assert len(await world.dump("read.users_v5_g1")) == 21
    assert len(await world.dump("read.audit_events_v1_g1")) == 42
    assert await world.connection.fetchval("SELECT count(*) FROM projection_state WHERE name = 'users'") == ranges
