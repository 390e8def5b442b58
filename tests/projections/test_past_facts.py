"""Facts as they held at a position equal what a walk through all periods finds, on pages of any size."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.past import facts
from projections.past.facts import LANES, Name, Spot, way_to
from projections.past.rights import rights
from projections.past.signed_in import signed_in
from projections.periods import Period
from projections.projection import Periods
from tests.projections.conftest import World
from tests.projections.random_histories import Choice
from tests.projections.random_rights import RIGHTS, RightsPlay

NOW = datetime.now(UTC)
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(start=st.integers(1, 2**40), length=st.integers(1, 2**40), inside=st.floats(0, 1, exclude_max=True))
def test_every_period_hangs_on_the_way_to_each_position_it_covers(start: int, length: int, inside: float) -> None:
    last = start + length - 1
    level = ((start - 1) ^ last).bit_length() - 1
    fork = last >> level << level
    assert start <= fork <= last
    assert fork in way_to(start + int(length * inside))
    assert len(way_to(last)) == LANES


@given(choices=RIGHTS, limit=st.integers(1, 4))
@FEW
async def test_pages_of_who_a_fact_holds_of_have_exactly_those(world: World, choices: list[Choice], limit: int) -> None:
    play = RightsPlay()
    for choice in choices:
        stream, events = play.act(choice)
        if events:
            await world.scribe.write(stream, *events)
    await world.project()
    for projection in (rights, signed_in):
        everything = await _every(world, projection)
        size = await world.connection.fetchval("SELECT size FROM log_head")
        for position in {0, 1, size // 3, size // 2, size - 1, size, size + 5}:
            of_all = {period for period in everything if covers(period, position)}
            for name in {Name(period.fact.what, period.fact.name) for period in everything if period.fact.name}:
                wanted = {period for period in of_all if (period.fact.what, period.fact.name) == name}
                found = await _walk(world, projection, name, position, limit)
                assert len(found) == len(set(found))
                assert set(found) == wanted
            held = await facts.at(world.models, projection, {period.stream for period in everything}, position)
            assert {period for periods in held.values() for period in periods} == of_all


async def _walk(world: World, projection: Periods, name: Name, position: int, limit: int) -> list[Period]:
    found: list[Period] = []
    after: Spot | None = None
    while True:
        page = await facts.holding(world.models, projection, name, position, NOW.replace(year=2000), after=after, limit=limit)
        assert len(page.periods) <= limit
        found += page.periods
        after = page.next_after
        if after is None:
            return found


async def _every(world: World, projection: Periods) -> set[Period]:
    table = (await world.models.generation(projection)).table
    return {facts.period_of(record) for record in await world.connection.fetch(f"SELECT * FROM {table}")}


def covers(period: Period, position: int) -> bool:
    return period.since.position <= position and (period.ended is None or position < period.ended.position)
