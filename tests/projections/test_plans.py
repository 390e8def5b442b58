"""Every query finds its rows by an index when there are many, and every statement can be prepared."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from domain.ids import AudienceName, ClientId, InvitationId, KeyId, Kid, RoleName, SessionId, StreamName, UserId
from domain.suspicion import Review
from projections import (
    api_keys,
    audiences,
    audit_events,
    erasures,
    invitations,
    roles,
    service_accounts,
    service_tokens,
    session_lists,
    session_searches,
    signing_keys,
    table,
    user_history,
    users,
)
from projections.api_keys import ApiKeyFilter
from projections.audit_events import AuditFilter
from projections.erasures import ErasureStatus
from projections.invitations import InvitationStatus
from projections.past import facts
from projections.past.diff import diff
from projections.past.facts import Name, Spot
from projections.past.moments import Moment
from projections.past.rights import rights
from projections.past.signed_in import signed_in
from projections.reading import ReadModels
from projections.session_lists import SessionStatus
from projections.session_searches import SessionFilter
from projections.users import UserStatus
from tests.conftest import Database
from tests.projections.histories import now, sealed
from workers import eraser, feeds, leftovers, parking, projector, reaper, rebuild, standing
from workers.projector import Projector

SMALL = {"projection_state", "projection_active", "log_head", "projection_parked"}
"""Tables that hold a row per read model, or one."""

CLOSED = msgspec.msgpack.encode(sealed()).hex()
FILL = (
    """INSERT INTO heads SELECT category || '-' || md5(n::text), 2, '\\x80', 1
       FROM generate_series(1, 20000) n, unnest(ARRAY['user', 'session']) category""",
    """INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
       SELECT h.stream, v, 'test.happened.v1', stream_slot(h.stream), gen_random_uuid(), 'anonymous', gen_random_uuid(),
              gen_random_uuid(), '{}' FROM heads h, generate_series(1, 2) v""",
    "INSERT INTO log_runs SELECT n * 8 + 1, n * 8 + 1, 8 FROM generate_series(0, 9999) n",
    "UPDATE log_head SET size = 80000",
    f"""INSERT INTO read.users_v5_g1 SELECT 'user-' || md5(n::text), 2, gen_random_uuid(),
              CASE n % 1000 WHEN 0 THEN 'suspended' WHEN 1 THEN 'deleted' ELSE 'active' END,
              CASE WHEN n % 500 = 0 THEN ARRAY['user', 'editor'] ELSE ARRAY['user'] END,
              1, 1, 1, '\\x{CLOSED}', n % 700 = 0, NULL, NULL, 'self', now(), now(), NULL, NULL, now(), NULL, now(),
              CASE WHEN n % 1000 = 2 THEN now() END
              FROM generate_series(1, 20000) n""",
    """INSERT INTO read.erasures_v3_g1 SELECT 'erasure-' || n, 1, gen_random_uuid(),
              CASE n % 500 WHEN 0 THEN 'asked' WHEN 1 THEN 'begun' ELSE 'withdrawn' END, 'own_request', now(),
              now() - n * interval '1 minute', now(), CASE WHEN n % 500 = 2 THEN now() END, '{tasks}', '{}',
              CASE WHEN n % 500 = 3 THEN now() END
              FROM generate_series(1, 10000) n""",
    f"""INSERT INTO read.invitations_v2_g1 SELECT 'invitation-' || n, 1, gen_random_uuid(),
              CASE WHEN n % 100 = 0 THEN 'open' ELSE 'accepted' END, '\\x{CLOSED}', NULL, '{{}}', NULL, 1, now(), now(), NULL, NULL
              FROM generate_series(1, 5000) n""",
    """INSERT INTO read.sessions_v3_g1 SELECT 'session-' || md5(n::text), 2, gen_random_uuid(),
              md5((n % 2000)::text)::uuid, 1, 'minos', '{minos}', '{pwd}', now(), NULL, 1, now(), now() + interval '1 day',
              now() + interval '1 day', NULL, NULL, NULL, NULL, NULL,
              CASE WHEN n % 1000 = 0 THEN ARRAY['new_network'] ELSE '{}' END, CASE WHEN n % 1000 = 0 THEN 'open' END
              FROM generate_series(1, 20000) n""",
    """INSERT INTO read.user_history_v9_g1 SELECT n, md5((n % 2000)::text)::uuid, now(), 'session.started.v1', 'anonymous',
              NULL, NULL, NULL, NULL, 'user-1', NULL, NULL, NULL FROM generate_series(1, 40000) n""",
    """INSERT INTO read.audit_events_v1_g1 SELECT n, now() - n * interval '1 minute', now(),
              CASE n % 500 WHEN 0 THEN 'user.suspended.v1' ELSE 'session.token_issued.v1' END, 'user-' || (n % 2000), 1,
              gen_random_uuid(), 'user:' || (n % 2000), NULL, md5((n % 2000)::text)::uuid, gen_random_uuid(), gen_random_uuid(),
              NULL FROM generate_series(1, 40000) n""",
    "INSERT INTO read.roles_v1_g1 SELECT 'role-r' || n, 1, 'r' || n, '{}', 1, NULL, now(), now(), NULL FROM generate_series(1, 5000) n",
    """INSERT INTO read.audiences_v1_g1 SELECT 'audience-a' || n, 1, 'a' || n, '{}', NULL, NULL, '{user}', '{}', '{}', 1, NULL,
              now(), now(), NULL FROM generate_series(1, 5000) n""",
    """INSERT INTO read.service_accounts_v2_g1 SELECT 'client-c' || n, 1, 'c' || n, NULL, now(), NULL, 1, NULL
              FROM generate_series(1, 5000) n""",
    """INSERT INTO read.api_keys_v3_g1 SELECT 'api_key-' || n, 1, md5(n::text)::uuid, md5((n % 900)::text)::uuid, 'c' || n % 900, now(),
              now() + n * interval '1 hour', NULL, now(), CASE WHEN n % 9 > 0 THEN now() END FROM generate_series(1, 20000) n""",
    """INSERT INTO read.service_tokens_v2_g1 SELECT 'token-' || n, 1, gen_random_uuid(), 'c' || n % 900, 'a', now(),
              now() + n * interval '1 hour', NULL, CASE WHEN n % 9 > 0 THEN now() END FROM generate_series(1, 20000) n""",
    """INSERT INTO read.signing_keys_v2_g1 SELECT 'signing_key-' || n, 1, 'k' || n, 'access', 'ES256', 'retiring', now(), NULL, NULL, NULL,
              NULL, NULL FROM generate_series(1, 5000) n""",
    # Nearly all accounts hold one role, and there are hardly any names besides: whoever looks for another one by going through the rows
    # until one is met expects to meet it soon, and goes through all of them.
    """INSERT INTO read.rights_v3_g1 SELECT 'user-' || n, 'role', 'user', NULL, NULL, n, now(), gen_random_uuid(),
              NULL, NULL, NULL FROM generate_series(1, 20000) n""",
    """INSERT INTO read.rights_v3_g1 SELECT 'user-' || n, 'role', 'r3', NULL, NULL, n, now(), gen_random_uuid(),
              CASE WHEN n % 3 > 0 THEN n + 1 + n % 997 END, now(), gen_random_uuid() FROM generate_series(1, 2000) n""",
    "INSERT INTO read.rights_v3_g1 VALUES ('role-r3', 'gives', 'tasks.t5', NULL, NULL, 5, now(), gen_random_uuid(), NULL, NULL, NULL)",
    """INSERT INTO read.signed_in_v2_g1 SELECT 'session-' || n, 'user', 'user-' || n % 2000, 1, now(), n, now(), gen_random_uuid(),
              CASE WHEN n % 3 > 0 THEN n + 1 + n % 997 END, now(), gen_random_uuid() FROM generate_series(1, 20000) n""",
    "ANALYZE",
)


@pytest.fixture
async def begun(database: Database) -> str:
    beginner = Projector(database.app_url)
    await beginner.begin()
    await beginner.close()
    return database.app_url


@pytest.fixture
async def filled(begun: str, database: Database) -> str:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        for statement in FILL:
            await connection.execute(statement)
    finally:
        await connection.close()
    return begun


async def _ask_everything(models: ReadModels) -> None:
    someone = UserId(uuid4())
    await users.page(models)
    await users.page(models, role=RoleName("editor"), after=someone)
    await users.page(models, role=RoleName("user"))
    await users.page(models, status=UserStatus.SUSPENDED)
    await users.page(models, role=RoleName("user"), status=UserStatus.ACTIVE, after=someone)
    await users.page(models, only=someone)
    await users.page(models, verified=True, after=someone)
    await users.past_restoring(models, 50)
    await users.past_undoing(models, 50)
    await users.get(models, someone)
    await erasures.page(models, status=ErasureStatus.ASKED, after=someone)
    await erasures.unacknowledged(models, AudienceName("tasks"), after=someone)
    for overdue in (erasures.due, erasures.unfinished, erasures.past_barring, erasures.unheard):
        await overdue(models, 50)
    await invitations.page(models, status=InvitationStatus.OPEN)
    await invitations.page(models, after=InvitationId(uuid4()))
    await invitations.accepted_by(models, someone)
    for status in (None, *SessionStatus):
        await session_lists.of_user(models, someone, status=status)
        await session_lists.of_user(models, someone, status=status, after=SessionId(uuid4()))
    await session_lists.get(models, SessionId(uuid4()))
    await session_searches.all_of(models, someone, after=SessionId(uuid4()), limit=50)
    await session_searches.suspicious(models, review=Review.OPEN, after=SessionId(uuid4()), limit=50)
    for of_all in (SessionFilter(client_id=ClientId("minos")), SessionFilter(suspicious=True), SessionFilter(user_id=someone)):
        await session_searches.live(models, of_all, after=SessionId(uuid4()), limit=50)
    await roles.page(models, after=RoleName("r5"))
    await roles.get(models, RoleName("r5"))
    await audiences.page(models, after=AudienceName("a5"))
    await audiences.get(models, AudienceName("a5"))
    await service_accounts.page(models, after=ClientId("c5"))
    await api_keys.page(models, matching_all=ApiKeyFilter(), after=KeyId(uuid4()))
    await api_keys.page(models, matching_all=ApiKeyFilter(user_id=someone))
    await api_keys.page(models, matching_all=ApiKeyFilter(client_id=ClientId("c5"), expires_before=now()))
    await api_keys.all_of(models, someone)
    await api_keys.ending(models, 50)
    await service_tokens.page(models, limit=50)
    await service_tokens.page(models, client_id=ClientId("c5"), limit=50)
    await service_tokens.ending(models, 50)
    await service_tokens.endings(models)
    await signing_keys.page(models, after=Kid("k5"))
    await user_history.of_user(models, someone, after=99)
    for projection in (rights, signed_in):
        for fact in (Name("role", "r3"), Name("user", "user-7")):
            await facts.holding(models, projection, fact, 9_000, now(), after=Spot(3, 900))
        await facts.at(models, projection, [StreamName("user-7"), StreamName("role-r3")], 9_000)
        await facts.known(models, projection, [Name("gives", "tasks.t5"), Name("gives", "nothing")], 9_000)
    then = Moment(position=9_000, epoch=1, at=now(), log_time=None, checkpoint=None)
    await diff(models, replace(then, position=8_000), then)
    await models.wait_for(users.users, StreamName("user-1"), 1, timeout_ms=0)
    for wanted in (
        AuditFilter(),
        AuditFilter(actor="user:7"),
        AuditFilter(type_prefix="user.suspended"),
        AuditFilter(stream=StreamName("user-7")),
        AuditFilter(user_id=someone),
        AuditFilter(correlation_id=uuid4()),
        AuditFilter(since=now() - timedelta(hours=1), until=now()),
    ):
        await audit_events.page(models, matching_all=wanted, after=30_000)


async def test_no_query_walks_through_a_table(filled: str) -> None:
    asked: dict[str, tuple[Any, ...]] = {}

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda query: asked.setdefault(query.query, query.args))

    async with asyncpg.create_pool(filled, min_size=1, max_size=1, init=listen) as pool:
        await _ask_everything(ReadModels(pool))
    connection = await asyncpg.connect(filled)
    try:
        drivers_own = ("pg_advisory_unlock_all", "typeinfo_tree")
        asked = {query: args for query, args in asked.items() if not any(mark in query for mark in drivers_own)}
        assert len(asked) > 20
        end_periods = table.SQL["end_periods"].format(table="read.rights_v3_g1")
        for many in (1, 300):
            streams = await connection.fetchval("SELECT array_agg(stream) FROM (SELECT stream FROM read.rights_v3_g1 LIMIT $1)", many)
            asked[f"{end_periods}-- {many}"] = (
                streams, ["role"] * many, ["editor"] * many, [90_000] * many, [now()] * many, [uuid4()] * many,
            )  # fmt: skip
        for query, args in asked.items():
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *args))
            walked = set(re.findall(r"Seq Scan on (\w+)", plan)) - SMALL
            assert not walked, f"{walked}\n{query}\n{plan}"
    finally:
        await connection.close()


async def test_a_rebuild_reads_positions_and_no_streams_where_little_is_known_of_the_runs(begun: str, database: Database) -> None:
    owner = await asyncpg.connect(database.superuser_url)
    connection = await asyncpg.connect(begun)
    try:
        for statement in (*FILL[:2], "INSERT INTO log_runs VALUES (1, 1, 80000)", "ANALYZE events"):
            await owner.execute(statement)
        async with connection.transaction():
            await connection.execute(rebuild.SQL["by_the_indexes"])
            rows = await connection.fetch(f"EXPLAIN {rebuild.SQL['read']}", 40_000, 45_000, "user-0", "user-4", 0, 63)
        plan = "\n".join(row[0] for row in rows)
        assert "_pkey on events_p000000" in plan
        assert "_stream" not in plan, plan
    finally:
        await connection.close()
        await owner.close()


@pytest.mark.parametrize("module", [eraser, feeds, leftovers, parking, reaper, rebuild, standing], ids=lambda module: module.__name__)
async def test_every_statement_of_the_workers_can_be_prepared(begun: str, module: Any) -> None:
    connection = await asyncpg.connect(begun)
    try:
        for statement in module.SQL.values():
            tables = statement.replace("{table}", "read.audit_events_v1_g1").replace("{periods}", "read.rights_v3_g1")
            await connection.prepare(tables)
    finally:
        await connection.close()


async def test_the_reaper_deletes_what_is_over_and_nothing_else(begun: str, database: Database) -> None:
    owner = await asyncpg.connect(database.superuser_url)
    try:
        await owner.execute("""
            INSERT INTO command_results (key, digest, outcome, actor, created_at)
            SELECT sha256(n::text::bytea), 'd', 'o', 'anonymous', now() - n * interval '1 hour' FROM generate_series(1, 3000) n""")
        await owner.execute("""
            INSERT INTO sign_in_guard (name_mac, failures, expires_at)
            SELECT sha256(n::text::bytea), 1, now() + n * interval '1 hour' FROM generate_series(-5, 5) n""")
        cleaner = reaper.Reaper(begun)
        await cleaner.step()
        await cleaner.close()
        assert await owner.fetchval("SELECT count(*) FROM command_results") in (71, 72)
        assert await owner.fetchval("SELECT count(*) FROM sign_in_guard") in (5, 6)
    finally:
        await owner.close()


def test_a_batch_is_cut_in_two_that_meet() -> None:
    from workers.decoded import Unreadable

    events = [Unreadable(n, StreamName("user-1"), n, now(), "broken", False) for n in range(11, 18)]
    first, second = projector._halves(projector._Batch(10, 17, 1, events))
    assert (first.after, first.through, second.after, second.through) == (10, 13, 13, 17)
    assert [*first.events, *second.events] == events
