"""Whatever is asked of the past, the answer is what a plain replay to that moment gives, also where clocks ran backwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain import user
from domain.event import Recorded
from domain.ids import StreamName
from domain.permission import Permission
from projections.past.answer import Answer
from projections.past.diff import Change, Terms, diff
from projections.past.moments import Moment, moment
from projections.past.rights import What
from projections.past.sessions_then import sessions_of
from projections.past.walks import Place
from projections.past.what_can import what_can
from projections.past.who_can import who_can
from projections.past.who_has import who_has
from projections.projection import category_of
from projections.recorded import from_log
from tests.conftest import Database
from tests.projections.conftest import World
from tests.projections.plain_past import PlainPast, PlainRight, position_of
from tests.projections.random_histories import Choice
from tests.projections.random_rights import PERMISSIONS, RIGHTS, RightsPlay

ASKED = (*PERMISSIONS[:5], Permission("tasks.write"))
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEW = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Clock:
    """Jumps by what hypothesis likes, mostly forwards."""

    jumps: Sequence[int]
    now: datetime = BEGAN
    ticks: int = 0

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=self.jumps[self.ticks % len(self.jumps)])
        self.ticks += 1
        return self.now


@example(choices=[(0, 0, 0), (0, 0, 0), (1, 0, 0), *[(0, 0, 0)] * 4, (12, 0, 0)], jumps=[0], late=0)  # a session erased while it lived
@given(choices=RIGHTS, jumps=st.lists(st.integers(-400, 900), min_size=1, max_size=9), late=st.integers(0, 5_000))
@FEW
async def test_every_answer_is_what_a_plain_replay_gives(
    world: World, database: Database, choices: list[Choice], jumps: list[int], late: int
) -> None:
    limit = 1 + late % 5
    play = RightsPlay(now=Clock(jumps))
    await _lived_through(world, database, play, choices)
    log = await _log(world)
    times = [event.recorded_at for event in log[-len(choices) :]]
    for when in (log[-1].position or 0, len(log) - len(choices) // 2, times[0], times[len(times) // 2] + timedelta(seconds=late)):
        then = await moment(world.models, when)
        if isinstance(when, datetime):
            assert (then.position, then.at) == (position_of(log, when), when)
        plain = PlainPast.of(log, then.position, then.at)
        await _agree(world, plain, then, play, limit)
    first = await moment(world.models, len(log) - len(choices) * 2 // 3)
    last = await moment(world.models, (log[-1].position or 0) - late % 3)
    await _differ(world, PlainPast.of(log, first.position, first.at), PlainPast.of(log, last.position, last.at), first, last, limit)


async def _agree(world: World, plain: PlainPast, then: Moment, play: RightsPlay, limit: int) -> None:
    models = world.models
    for permission in ASKED:
        rows = await _all(lambda after, p=permission: who_can(models, p, then, after=after, limit=limit))
        found = {(row.kind, row.id, row.role or tuple(sorted(row.audiences)), str(row.needs_factor)) for row in rows}
        assert found == plain.who_can(permission)
        for row in rows:
            assert all(mark.position <= then.position for mark in row.cites)
    for name in play.roles:
        rows = await _all(lambda after, n=name: who_has(models, n, then, after=after, limit=limit))
        assert {(row.user_id, row.standing) for row in rows} == plain.who_has(name)
    for stream in plain.states:
        if category_of(stream) in {"user", "client"}:
            rows = await _all(lambda after, s=stream: what_can(models, s, then, after=after, limit=limit))
            assert {(row.by, row.id, tuple(sorted(row.permissions)), row.audience) for row in rows} == plain.what_can(stream)
    for user_id in play.users:
        if user.stream(user_id) in plain.states:
            rows = await _all(lambda after, u=user_id: sessions_of(models, u, then, after=after, limit=limit))
            assert {(row.session_id, row.idle_expires_at) for row in rows} == plain.sessions_of(user_id)


async def _differ(world: World, before: PlainPast, now: PlainPast, first: Moment, last: Moment, limit: int) -> None:  # noqa: PLR0917
    """A right is told of by a row exactly if it is among those of one moment alone, and by events in between."""
    if first.position > last.position:
        first, last, before, now = last, first, now, before
    rows: list[Change] = []
    after: int | None = None
    while True:
        page = await diff(world.models, first, last, after=after, limit=limit)
        rows += page.rows
        after = page.next_after
        if after is None:
            break
    lost, gained = before.rights() - now.rights(), now.rights() - before.rights()
    kept = {(row.subject, row.id): row for row in rows if row.what == What.ERASED}
    rows = [row for row in rows if (row.subject, row.id) not in kept or row.what not in {What.SUSPENDED, What.DELETED}]
    assert {right for row in rows if (right := _told(row, row.before)) is not None} == {
        r for r in lost if r[1] not in _STATES or _lives(r, now)
    }
    assert {right for row in rows if (right := _told(row, row.after)) is not None} == gained
    assert all(first.position < mark.position <= last.position for row in rows for mark in row.cites)
    assert [row.position for row in rows] == sorted(row.position for row in rows)


_STATES = {"suspended", "deleted"}


def _lives(right: PlainRight, now: PlainPast) -> bool:
    return not isinstance(now.states[right[0]], user.Erased)


def _told(row: Change, terms: Terms | None) -> PlainRight | None:
    if terms is None:
        return None
    stream = StreamName(f"{row.subject}-{row.id}" if row.id else row.subject)
    return stream, str(row.what), row.name, terms.until or (str(terms.requirement) if terms.requirement is not None else None)


async def _all(page: Callable[[Place | None], Any]) -> list[Any]:
    rows: list[Any] = []
    after: Place | None = None
    while True:
        answer: Answer[Any] = await page(after)
        rows += answer.rows
        after = answer.next_after
        if after is None:
            return rows


async def _lived_through(world: World, database: Database, play: RightsPlay, choices: Sequence[Choice]) -> None:
    """Append a history, and let each event have been recorded when its decision was made, whatever clock that was."""
    recorded: list[tuple[StreamName, int, datetime]] = []
    for choice in choices:
        stream, events = play.act(choice)
        if events:
            await world.scribe.write(stream, *events)
            version = world.scribe.versions[stream]
            recorded += [(stream, version - n, event.at) for n, event in enumerate(reversed(events))]
    superuser = await asyncpg.connect(database.superuser_url)
    try:
        await superuser.execute("SET session_replication_role = replica")
        await superuser.executemany("UPDATE events SET recorded_at = $3 WHERE stream = $1 AND version = $2", recorded)
    finally:
        await superuser.close()
    await world.project()


async def _log(world: World) -> list[Recorded[Any]]:
    events = [from_log(record) for record in await world.connection.fetch("SELECT * FROM read_log(0, 100000)")]
    return [event for event in events if isinstance(event, Recorded)]


async def test_a_session_whose_events_were_moved_away_is_said_to_be_held_back(world: World, database: Database) -> None:
    user_id = await world.scribe.user()
    session_id = await world.scribe.session(user_id)
    await world.project()
    then = await moment(world.models, 4)
    superuser = await asyncpg.connect(database.superuser_url)
    try:
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute("DELETE FROM events")
    finally:
        await superuser.close()
    found = await sessions_of(world.models, user_id, then)
    assert (found.standing, found.rows, found.then.held_back) == ("active", [], (f"session-{session_id}",))
