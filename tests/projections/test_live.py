"""The projector and the queries over real histories."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain import role, session, user
from domain.ids import RoleName, SessionId, UserId
from domain.role import RoleDefined, RoleRetired
from domain.session_events import EndReason, SessionRevoked
from domain.user_events import RoleGranted, SignedOutEverywhere, SuspendReason, UserSuspended
from projections import audit_events, roles, session_lists, user_history, users
from projections.audit_events import AuditFilter
from projections.catalogue import ALL
from projections.session_lists import Lapse, SessionStatus
from projections.users import UserStatus
from tests.projections.conftest import World
from tests.projections.histories import NOW, broken_event, issued, now

TABLES = [f"read.{projection.name}_v{projection.fold_version}_g1" for projection in ALL]


async def test_a_registered_user_is_listed_after_projection(world: World) -> None:
    user_id = await world.scribe.user()
    await world.project()
    page = await users.page(world.models)
    assert [row.user_id for row in page.rows] == [user_id]


async def test_the_freshness_of_a_caught_up_model_is_zero(world: World) -> None:
    await world.scribe.user()
    await world.project()
    page = await users.page(world.models)
    assert (page.freshness.position, page.freshness.age_ms) == (2, 0)


async def test_age_counts_from_the_oldest_event_that_is_missing(world: World) -> None:
    await world.scribe.user()
    await world.sequencer.step()
    page = await users.page(world.models)
    assert (page.freshness.position, page.rows) == (0, [])
    assert page.freshness.age_ms >= 0


async def test_projecting_twice_equals_once(world: World) -> None:
    user_id = await world.scribe.user()
    await world.scribe.session(user_id)
    await world.project()
    once = [await world.dump(table) for table in TABLES]
    await world.connection.execute("UPDATE projection_state SET position = 0")
    await world.project()
    assert [await world.dump(table) for table in TABLES] == once


async def test_a_row_read_by_itself_has_what_the_projector_has_not_seen(world: World) -> None:
    user_id = await world.scribe.user()
    await world.project()
    await world.scribe.write(user.stream(user_id), RoleGranted(user_id=user_id, role=RoleName("editor"), roles_version=2, at=now()))
    found = await users.get(world.models, user_id)
    assert found is not None
    assert (found.row.roles, found.version, found.current) == (("editor", "user"), 3, True)


async def test_a_row_the_projector_never_saw_is_read_whole(world: World) -> None:
    user_id = await world.scribe.user()
    found = await users.get(world.models, user_id)
    assert found is not None
    assert found.version == 2


async def test_nobody_is_found_under_an_id_that_was_never_given(world: World) -> None:
    assert await users.get(world.models, UserId(uuid4())) is None


async def test_users_are_listed_by_role_and_status_in_pages(world: World) -> None:
    ids = [await world.scribe.user(roles=("user", "editor") if n % 2 else ("user",)) for n in range(6)]
    await world.scribe.write(
        user.stream(ids[1]), UserSuspended(user_id=ids[1], reason=SuspendReason.ABUSE, note=None, token_epoch=2, at=now())
    )
    await world.project()
    first = await users.page(world.models, role=RoleName("editor"), limit=2)
    second = await users.page(world.models, role=RoleName("editor"), limit=2, after=first.next_after)
    assert [row.user_id for row in (*first.rows, *second.rows)] == [ids[5], ids[3], ids[1]]
    assert second.next_after is None
    suspended = await users.page(world.models, status=UserStatus.SUSPENDED)
    assert [row.user_id for row in suspended.rows] == [ids[1]]


async def test_no_list_shows_a_session_as_active_after_sign_out_everywhere(world: World) -> None:
    user_id = await world.scribe.user()
    session_id = await world.scribe.session(user_id)
    await world.project()
    await world.scribe.write(user.stream(user_id), SignedOutEverywhere(user_id=user_id, token_epoch=2, at=now()))
    active = await session_lists.of_user(world.models, user_id, status=SessionStatus.ACTIVE)
    every = await session_lists.of_user(world.models, user_id)
    assert active.rows == []
    assert [(view.session.session_id, view.why_ended) for view in every.rows] == [(session_id, Lapse.SIGNED_OUT_EVERYWHERE)]


async def test_no_list_shows_a_session_as_active_after_suspension(world: World) -> None:
    user_id = await world.scribe.user()
    await world.scribe.session(user_id)
    await world.project()
    suspended = UserSuspended(user_id=user_id, reason=SuspendReason.ABUSE, note=None, token_epoch=2, at=now())
    await world.scribe.write(user.stream(user_id), suspended)
    assert (await session_lists.of_user(world.models, user_id, status=SessionStatus.ACTIVE)).rows == []
    await world.project()
    assert len((await session_lists.of_user(world.models, user_id, status=SessionStatus.ENDED)).rows) == 1


async def test_a_revoked_session_is_not_listed_as_active_before_the_projector_came_by(world: World) -> None:
    user_id = await world.scribe.user()
    kept, revoked = await world.scribe.session(user_id), await world.scribe.session(user_id)
    await world.project()
    ended = SessionRevoked(session_id=revoked, user_id=user_id, reason=EndReason.LOGOUT, at=now())
    await world.scribe.write(session.stream(revoked), ended)
    active = await session_lists.of_user(world.models, user_id, status=SessionStatus.ACTIVE)
    assert [view.session.session_id for view in active.rows] == [kept]


async def one_by_one(world: World, user_id: UserId, *, surely: SessionId) -> list[SessionId]:
    """Give the three sessions that there are, from pages of one, the last of which says that it is."""
    listed: list[SessionId] = []
    after: SessionId | None = None
    for _ in range(3):
        page = await session_lists.of_user(world.models, user_id, surely=surely, after=after, limit=1)
        listed += [row.session.session_id for row in page.rows]
        after = page.next_after
    assert after is None
    return listed


async def test_the_session_one_asks_with_is_listed_before_the_projector_came_by(world: World) -> None:
    user_id = await world.scribe.user()
    first, second = await world.scribe.session(user_id), await world.scribe.session(user_id)
    await world.project()
    asking = await world.scribe.session(user_id)
    whole = await session_lists.of_user(world.models, user_id, surely=asking)
    assert [row.session.session_id for row in whole.rows] == [asking, second, first]
    assert await one_by_one(world, user_id, surely=asking) == [asking, second, first]


async def test_the_session_one_asks_with_is_on_the_page_where_its_place_is(world: World) -> None:
    """An older one, which the read model lacks because its stream is held back."""
    user_id = await world.scribe.user()
    first = await world.scribe.session(user_id)
    asking = await world.scribe.session(user_id)
    last = await world.scribe.session(user_id)
    await world.project()
    await world.connection.execute("DELETE FROM read.sessions_v3_g1 WHERE session_id = $1", asking)
    assert await one_by_one(world, user_id, surely=asking) == [last, asking, first]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_the_session_one_asks_with_is_listed_once(world: World, limit: int) -> None:
    user_id = await world.scribe.user()
    sessions = [await world.scribe.session(user_id) for _ in range(3)]
    await world.project()
    for asking in sessions:
        page = await session_lists.of_user(world.models, user_id, surely=asking, limit=limit)
        assert [row.session.session_id for row in page.rows] == sessions[::-1][:limit]


async def test_an_expired_session_is_shown_as_ended(world: World) -> None:
    user_id = await world.scribe.user()
    session_id = await world.scribe.session(user_id, ttl=-1)
    await world.project()
    (view,) = (await session_lists.of_user(world.models, user_id, status=SessionStatus.ENDED)).rows
    assert (view.session.session_id, view.why_ended) == (session_id, Lapse.EXPIRED)
    assert (await session_lists.of_user(world.models, user_id, status=SessionStatus.ACTIVE)).rows == []


async def test_sessions_come_in_pages_newest_first(world: World) -> None:
    user_id = await world.scribe.user()
    ids = [await world.scribe.session(user_id) for _ in range(5)]
    await world.project()
    first = await session_lists.of_user(world.models, user_id, limit=3)
    second = await session_lists.of_user(world.models, user_id, limit=3, after=first.next_after)
    assert [view.session.session_id for view in (*first.rows, *second.rows)] == ids[::-1]
    assert second.next_after is None


async def test_history_tells_sign_ins_and_not_refreshes(world: World) -> None:
    user_id = await world.scribe.user()
    session_id = await world.scribe.session(user_id)
    await world.scribe.write(session.stream(session_id), issued(session_id, user_id, 2))
    await world.project()
    page = await user_history.of_user(world.models, user_id)
    assert [row.type for row in page.rows] == ["session.started.v1", "user.password_set.v1", "user.registered.v1"]
    assert page.rows[0].session_id == session_id


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (AuditFilter(), 4),
        (AuditFilter(actor="anonymous"), 4),
        (AuditFilter(actor="system:cli"), 0),
        (AuditFilter(type_prefix="session"), 2),
        (AuditFilter(type_prefix="session.started"), 1),
        (AuditFilter(type_prefix="session.started.v1"), 1),
        (AuditFilter(type_prefix="sess"), 0),
        (AuditFilter(since=NOW - timedelta(days=400)), 4),
        (AuditFilter(until=NOW - timedelta(days=400)), 0),
    ],
)
async def test_the_audit_list_gives_what_was_asked_for(world: World, wanted: AuditFilter, count: int) -> None:
    await world.scribe.session(await world.scribe.user())
    await world.project()
    assert len((await audit_events.page(world.models, matching_all=wanted)).rows) == count


async def test_the_audit_list_leaves_no_event_out(world: World) -> None:
    await world.scribe.session(await world.scribe.user())
    await world.project()
    first = await audit_events.page(world.models, limit=3)
    second = await audit_events.page(world.models, limit=3, after=first.next_after)
    assert [row.position for row in (*first.rows, *second.rows)] == [4, 3, 2, 1]


async def test_a_retired_role_gives_nothing_and_is_listed_as_retired(world: World) -> None:
    name = RoleName("editor")
    defined = RoleDefined(role=name, permissions=(), description=None, at=now())
    await world.scribe.write(role.stream(name), defined, RoleRetired(role=name, definition=2, at=now()))
    await world.project()
    assert [row.role for row in (await roles.page(world.models, retired=True)).rows] == [name]
    assert (await roles.page(world.models, retired=False)).rows == []


async def test_waiting_ends_when_the_model_has_passed_the_event(world: World) -> None:
    user_id = await world.scribe.user()
    assert not await world.models.wait_for(users.users, user.stream(user_id), 2, timeout_ms=30)
    await world.project()
    assert await world.models.wait_for(users.users, user.stream(user_id), 2, timeout_ms=30)


async def test_waiting_for_an_event_that_never_was_ends_in_time(world: World) -> None:
    assert not await world.models.wait_for(users.users, user.stream(UserId(uuid4())), 1, timeout_ms=30)


async def test_a_poison_event_parks_one_stream_and_others_move(world: World) -> None:
    broken, fine = await world.scribe.user(), await world.scribe.user()
    await world.scribe.write(user.stream(broken), raw=[broken_event()])
    await world.scribe.write(user.stream(broken), RoleGranted(user_id=broken, role=RoleName("late"), roles_version=2, at=now()))
    await world.scribe.write(user.stream(fine), RoleGranted(user_id=fine, role=RoleName("editor"), roles_version=2, at=now()))
    await world.project()
    rows = {row.user_id: row.roles for row in (await users.page(world.models)).rows}
    assert rows == {broken: ("user",), fine: ("editor", "user")}
    parked = await world.connection.fetch("SELECT name, stream, position FROM projection_parked ORDER BY name")
    held_back = ("audit_events", "rights", "user_history", "users")
    assert [tuple(row) for row in parked] == [(name, user.stream(broken), 5) for name in held_back]


async def test_an_event_of_newer_code_pauses_and_nothing_is_skipped(world: World) -> None:
    user_id = await world.scribe.user()
    await world.scribe.write(user.stream(user_id), raw=[broken_event("user.teleported.v1", b"{}")])
    other = await world.scribe.user()
    await world.project()
    states = {row["name"]: (row["status"], row["position"]) for row in await world.connection.fetch("SELECT * FROM projection_state")}
    assert states["users"] == ("paused", 2)
    assert states["sessions"] == ("live", 5)
    assert [row.user_id for row in (await users.page(world.models)).rows] == [user_id]
    assert await users.get(world.models, other) is not None


async def test_a_poisoned_account_is_shown_as_last_known_and_says_so(world: World) -> None:
    user_id = await world.scribe.user()
    await world.scribe.write(user.stream(user_id), raw=[broken_event()])
    found = await users.get(world.models, user_id)
    assert found is not None
    assert (found.version, found.current) == (2, False)


async def test_a_value_the_database_refuses_parks_its_stream_alone(world: World) -> None:
    fine, broken = await world.scribe.user(), await world.scribe.user()
    huge = RoleGranted(user_id=broken, role=RoleName("editor"), roles_version=2**40, at=now())
    await world.scribe.write(user.stream(broken), huge)
    await world.scribe.write(user.stream(fine), RoleGranted(user_id=fine, role=RoleName("editor"), roles_version=2, at=now()))
    await world.project()
    parked = await world.connection.fetch("SELECT name, stream, position FROM projection_parked")
    assert [tuple(row) for row in parked] == [("users", user.stream(broken), 5)]
    rows = {row.user_id: row.roles for row in (await users.page(world.models)).rows}
    assert rows == {broken: ("user",), fine: ("editor", "user")}
    assert await world.connection.fetchval("SELECT min(position) FROM projection_state") == 6
