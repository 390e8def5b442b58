"""Keys of users who never came to be go; a key that is in use, or may come to be, never does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters import master_key
from adapters.event_store import PostgresEventStore
from adapters.postgres_links import Links
from adapters.random import SystemRandomness
from adapters.vault import PostgresVault
from adapters.wrapping import Wrapping
from domain import role, user
from domain.event import Erased, SealClass, Sealed
from domain.ids import RoleName, StreamName, UserId
from tests.conftest import Database
from tests.store.commits import commit, write
from workers import reaper
from workers.reaper import Reaper

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SWEEP = "SELECT deleted, more FROM vault.sweep_orphaned_keys($1, $2)"
CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
HOUR = timedelta(hours=1)


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.superuser_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


def a_user() -> StreamName:
    return user.stream(UserId(SystemRandomness().uuid7()))


async def make_key(superuser: Connection, subject: StreamName, age: str = "2 hours") -> UUID:
    key_id = uuid4()
    await superuser.execute(
        "INSERT INTO vault.subject_keys VALUES ($1, $2, 'profile', 1, '', 'k1', clock_timestamp() - $3::text::interval)",
        *(key_id, subject, age),
    )
    return key_id


async def make_keys(superuser: Connection, number: int, *, live: bool, age: str) -> None:
    await superuser.execute(
        "INSERT INTO vault.subject_keys SELECT gen_random_uuid(), 'user-' || md5($2::text || n), 'profile', 1, '', 'k1', "
        "clock_timestamp() - $2::text::interval FROM generate_series(1, $1::int) n",
        *(number, age),
    )
    if live:
        await superuser.execute("INSERT INTO heads SELECT subject, 1, '', 1 FROM vault.subject_keys ON CONFLICT DO NOTHING")


async def kept(superuser: Connection) -> list[UUID]:
    return [row[0] for row in await superuser.fetch("SELECT key_id FROM vault.subject_keys")]


async def sweep(database: Database) -> int:
    sweeper = Reaper(database.app_url)
    deleted = await sweeper.step()
    await sweeper.close()
    return deleted


async def test_keys_of_a_user_who_never_came_to_be_go_and_a_registered_users_stay(database: Database, superuser: Connection) -> None:
    links, store = Links(database.app_url), PostgresEventStore(database.app_url)
    vault = PostgresVault(links, Wrapping([master_key.of_bytes(b"\x01" * 32)]))
    registered, refused = a_user(), a_user()

    async def make_keys_of(subject: StreamName) -> Sealed:
        await vault.seal(subject=subject, seal_class=SealClass.PROFILE, stream=subject, fields={"email": "ada@example.org"})
        sealed = await vault.seal(subject=subject, seal_class=SealClass.CREDENTIAL, stream=subject, fields={"password": "hash"}, fresh=True)
        return sealed["password"]

    password, orphan = await make_keys_of(registered), await make_keys_of(refused)
    await store.append(commit(write(registered, 0)))
    await superuser.execute("UPDATE vault.subject_keys SET created_at = created_at - interval '61 minutes'")
    assert await sweep(database) == 2
    assert await vault.open(password, stream=registered, field="password") == "hash"
    assert isinstance(await vault.open(orphan, stream=refused, field="password"), Erased)
    await asyncio.gather(vault.close(), links.close(), store.close())


async def test_a_key_younger_than_an_hour_may_be_of_a_registration_under_way(database: Database, superuser: Connection) -> None:
    young = await make_key(superuser, a_user(), "59 minutes")
    assert await sweep(database) == 0
    assert await kept(superuser) == [young]


async def test_a_young_key_is_looked_at_again_when_it_is_old(database: Database, superuser: Connection) -> None:
    young = await make_key(superuser, a_user(), "59 minutes")
    await make_key(superuser, a_user(), "3 hours")
    await sweep(database)
    await superuser.execute("UPDATE vault.subject_keys SET created_at = created_at - interval '2 minutes' WHERE key_id = $1", young)
    assert await sweep(database) == 1


async def test_a_refused_roles_key_stays_because_its_name_may_be_chosen_again(database: Database, superuser: Connection) -> None:
    of_role = await make_key(superuser, role.stream(RoleName("editor")), "90 days")
    assert await sweep(database) == 0
    assert await kept(superuser) == [of_role]


async def test_the_serving_role_cannot_ask_for_younger_keys(app: Connection, superuser: Connection) -> None:
    young = await make_key(superuser, a_user(), "59 minutes")
    for age in (timedelta(0), -HOUR):
        assert tuple(await app.fetchrow(SWEEP, age, 10) or ()) == (0, False)
    assert await kept(superuser) == [young]


async def test_a_batch_deletes_no_more_than_it_may_look_at(app: Connection, superuser: Connection) -> None:
    for hours in range(5):
        await make_key(superuser, a_user(), f"{2 + hours} hours")
    told = [tuple(await app.fetchrow(SWEEP, HOUR, 2) or ()) for _ in range(4)]
    assert told == [(2, True), (2, True), (1, False), (0, False)]


async def test_keys_made_in_one_moment_are_not_passed_over(app: Connection, superuser: Connection) -> None:
    await make_keys(superuser, 5, live=False, age="2 hours")
    await superuser.execute("UPDATE vault.subject_keys SET created_at = (SELECT min(created_at) FROM vault.subject_keys)")
    told = [tuple(await app.fetchrow(SWEEP, HOUR, 2) or ()) for _ in range(3)]
    assert told == [(2, True), (2, True), (1, False)]


async def test_orphans_behind_many_live_keys_go_in_the_same_step(database: Database, superuser: Connection) -> None:
    await make_keys(superuser, reaper.BATCH + 7, live=True, age="3 hours")
    await make_keys(superuser, reaper.BATCH + 9, live=False, age="2 hours")
    batches: list[int] = []
    sweeper = Reaper(database.app_url, observe=lambda kind, count: batches.append(count) if kind == "orphaned_keys" else None)
    assert await sweeper.step() == reaper.BATCH + 9
    await sweeper.close()
    assert max(batches) <= reaper.BATCH
    assert len(await kept(superuser)) == reaper.BATCH + 7


async def test_a_second_reaper_does_not_wait_for_the_first(app: Connection, superuser: Connection) -> None:
    await make_key(superuser, a_user())
    async with superuser.transaction():
        assert tuple(await superuser.fetchrow(SWEEP, HOUR, 10) or ()) == (1, False)
        assert tuple(await app.fetchrow(SWEEP, HOUR, 10, timeout=2) or ()) == (0, False)


async def test_no_key_is_read_twice_and_no_table_walked_through(database: Database, superuser: Connection) -> None:
    await make_keys(superuser, 2_500, live=True, age="2 hours")
    await make_keys(superuser, 2_500, live=False, age="30 minutes")
    await superuser.execute("ANALYZE heads, vault.subject_keys")
    before = await entries_read_and_scans(superuser)
    await sweep(database)
    first = await entries_read_and_scans(superuser)
    await sweep(database)
    second = await entries_read_and_scans(superuser)
    assert 2_500 <= first[0] - before[0] < 2_600
    assert second[0] - first[0] < 10
    assert before[1] == first[1] == second[1]


async def entries_read_and_scans(superuser: Connection) -> tuple[int, int]:
    """Of the index that keys are looked for by, and of whole tables. A backend reports its counts before it is gone."""
    async with asyncio.timeout(10):
        while await superuser.fetchval(CLIENTS) > 1:
            await asyncio.sleep(0.01)
    read = await superuser.fetchval("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'subject_keys_created'")
    await superuser.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
    scans = await superuser.fetchval("SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('heads', 'subject_keys')")
    return read, int(scans)
