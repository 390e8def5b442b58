"""What an operator may do, and what he is told when he may not."""

from dataclasses import replace

import pytest

from cli.log_checks import behind_s
from domain import user
from domain.errors import StoreUnavailable
from projections import generations, users
from tests.projections.conftest import World
from tests.projections.histories import broken_event
from workers import desk
from workers.rebuild import RebuildRefused, rebuild


async def test_status_tells_what_serves_and_how_far_it_is(world: World) -> None:
    await world.scribe.user()
    await world.project()
    found = {standing.name: standing for standing in await desk.status(world.app_url)}
    assert found["users"].serving
    assert (found["users"].status, found["users"].position, found["users"].lag_events, found["users"].parked) == ("live", 2, 0, 0)


async def test_going_back_and_forth_ends_where_it_began(world: World) -> None:
    built = await rebuild(world.app_url, "users", switch=False)
    assert not built.switched
    await desk.switch(world.app_url, "users", built.generation)
    assert await desk.back(world.app_url, "users") == 1
    assert await desk.back(world.app_url, "users") == built.generation


async def test_there_is_nothing_to_go_back_to_before_a_switch(world: World) -> None:
    with pytest.raises(RebuildRefused):
        await desk.back(world.app_url, "users")


@pytest.mark.parametrize("generation", [1, 99])
async def test_switching_to_what_serves_or_is_not_there_is_refused(world: World, generation: int) -> None:
    with pytest.raises(RebuildRefused):
        await desk.switch(world.app_url, "users", generation)


async def test_an_unknown_read_model_is_refused_by_name(world: World) -> None:
    with pytest.raises(RebuildRefused, match="users"):
        await rebuild(world.app_url, "userz")


async def test_what_is_parked_is_told_with_its_reason(world: World) -> None:
    broken = await world.scribe.user()
    await world.scribe.write(user.stream(broken), raw=[broken_event()])
    await world.project()
    parked = {held.name: held for held in await desk.parked(world.app_url)}
    assert parked["users"].stream == user.stream(broken)
    assert "ValidationError" in parked["users"].reason
    (outcome,) = await desk.unpark(world.app_url, "users", user.stream(broken))
    assert outcome.reason is not None


async def test_making_the_tables_twice_makes_them_once(world: World) -> None:
    await desk.ensure(world.app_url)
    assert {standing.generation for standing in await desk.status(world.app_url)} == {1}


async def test_a_database_that_is_away_is_said_to_be(world: World) -> None:
    with pytest.raises(StoreUnavailable):
        await desk.status("postgresql://nobody@127.0.0.1:9/none")


async def test_doctor_sees_that_workers_do_not_work_by_events_without_a_position_too(world: World) -> None:
    await world.scribe.user()
    assert await behind_s(world.connection) > 0
    await world.sequencer.step()
    assert await behind_s(world.connection) > 0
    await world.project()
    assert await behind_s(world.connection) == 0


async def test_what_another_release_reads_from_is_not_what_serves(world: World) -> None:
    newer = replace(users.users, fold_version=users.users.fold_version + 1)
    await generations.ensure(world.connection, [newer])
    assert await generations.switch(world.connection, newer, 2)
    await world.scribe.user()
    await world.project()
    assert {standing.generation for standing in await desk.status(world.app_url) if standing.name == "users" and standing.serving} == {1}
    assert await behind_s(world.connection) == 0
