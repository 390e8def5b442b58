"""What must hold for every history: rebuilt equals live, completed equals live, and nothing is forgotten."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.codec import EVENT_TYPES
from domain.ids import StreamName
from projections.catalogue import ALL
from projections.completion import completed_many
from projections.projection import Entity, Journal, Periods, Projection, category_of
from projections.sessions import sessions
from projections.users import users
from tests.projections.conftest import World
from tests.projections.random_histories import CHOICES, Choice, Play
from tests.projections.random_rights import RIGHTS, RightsPlay
from workers.rebuild import rebuild

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("projection", ALL, ids=lambda projection: projection.name)
def test_every_event_is_folded_or_ignored_on_purpose(projection: Projection) -> None:
    match projection:
        case Entity():
            mine = {t for tag, t in EVENT_TYPES.items() if tag.partition(".")[0] == projection.category}
            assert set(projection.folds) | set(projection.ignores) | set(projection.ends) == mine
            assert len(projection.folds) + len(projection.ignores) + len(projection.ends) == len(mine)
        case Periods():
            those = {t for tag, t in EVENT_TYPES.items() if tag.partition(".")[0] in projection.categories}
            assert set(projection.turns) | set(projection.ignores) == those
            assert not set(projection.turns) & set(projection.ignores)
        case Journal():
            assert set(projection.writes) | set(projection.ignores) == set(EVENT_TYPES.values())
            assert not set(projection.writes) & set(projection.ignores)


def test_the_category_of_a_stream_is_that_of_its_events() -> None:
    assert {category_of(StreamName(name)) for name in ("user-1", "administrators", "signing_key-a-b")} == {
        "user", "administrators", "signing_key",
    }  # fmt: skip


@given(choices=RIGHTS, cut=st.integers(0, 30))
@FEW
async def test_rebuilt_rows_equal_live_rows(world: World, choices: list[Choice], cut: int) -> None:
    play = RightsPlay()
    for number, choice in enumerate(choices):
        stream, events = play.act(choice)
        if events:
            await world.scribe.write(stream, *events)
        if number == cut:
            await world.project()
    await world.project()
    for projection in ALL:
        before = await world.models.generation(projection)
        live = await world.dump(before.table)
        built = await rebuild(world.app_url, projection.name)
        after = f"read.{projection.name}_v{projection.fold_version}_g{built.generation}"
        assert await world.dump(after) == live
        world.models._served.clear()


@given(choices=CHOICES, cut=st.integers(0, 30))
@FEW
async def test_completed_rows_equal_what_the_projector_will_make(world: World, choices: list[Choice], cut: int) -> None:
    play = Play()
    for number, choice in enumerate(choices):
        stream, events = play.act(choice)
        if events:
            await world.scribe.write(stream, *events)
        if number == cut:
            await world.project()
    streams = list(play.states)
    entities: list[Any] = [users, sessions]
    early = [await completed_many(world.models, entity, streams) for entity in entities]
    await world.project()
    late = [await completed_many(world.models, entity, streams) for entity in entities]
    assert early == late
    assert all(row.current for rows in early for row in rows.values())
