"""Secrets that stood in an answer: one suite for both who keep them, then what only Postgres can get wrong."""

from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.memory_shown_secrets import MemoryShownSecrets
from adapters.postgres_links import Links
from adapters.shown_secrets import PostgresShownSecrets
from commands.ports import Place, ShownSecrets
from tests.conftest import Database
from workers.reaper import Reaper

ONE, OTHER, ABSENT = [Place(key=b"k" * 32, sealing=b"s" * 32, answer_id=UUID(int=n)) for n in range(3)]


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest, links: Links) -> ShownSecrets:
    return MemoryShownSecrets() if request.param == "memory" else PostgresShownSecrets(links)


async def test_a_secret_is_found_under_its_key_and_answer_alone(kept: ShownSecrets) -> None:
    await kept.keep(ONE, "mk_secret")
    await kept.keep(OTHER, "mk_other")
    assert [await kept.find(answer) for answer in (ONE, OTHER, ABSENT)] == ["mk_secret", "mk_other", None]
    assert await kept.find(replace(ONE, key=b"l" * 32)) is None
    assert await kept.find(replace(ONE, sealing=b"t" * 32)) is None


async def test_kept_twice_is_kept_once(kept: ShownSecrets) -> None:
    for secret in ("mk_first", "mk_second"):
        await kept.keep(ONE, secret)
    assert await kept.find(ONE) == "mk_first"


async def test_its_time_is_over_after_ten_minutes_and_then_it_goes(links: Links, database: Database) -> None:
    kept, connection = PostgresShownSecrets(links), await asyncpg.connect(database.superuser_url)
    await kept.keep(ONE, "mk_secret")
    left = await connection.fetchval("SELECT extract(epoch FROM expires_at - clock_timestamp())::int FROM shown_secrets")
    assert 590 <= left <= 600
    await connection.execute("UPDATE shown_secrets SET expires_at = clock_timestamp() - interval '1 second'")
    assert await kept.find(ONE) is None
    reaper = Reaper(database.app_url)
    await reaper.step()
    await reaper.close()
    assert await connection.fetchval("SELECT count(*) FROM shown_secrets") == 0
    await connection.close()


async def test_no_secret_lies_in_the_database_in_clear_or_in_its_log(links: Links, database: Database) -> None:
    await PostgresShownSecrets(links).keep(ONE, "mk_secret")
    connection = await asyncpg.connect(database.superuser_url)
    box, persistence = await connection.fetchrow(
        "SELECT box, relpersistence FROM shown_secrets, pg_class WHERE oid = 'shown_secrets'::regclass"
    )  # type: ignore[misc]  # there is a row
    await connection.close()
    assert b"secret" not in box
    assert persistence == b"u", "a table that is logged would be in every backup"
