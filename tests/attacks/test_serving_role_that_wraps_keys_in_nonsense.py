"""Whoever has the serving role's password has keys of people wrapped in nonsense: none is destroyed before every backup is old."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapters import months
from adapters.postgres import Connection
from adapters.subject_keks import say_backup_days
from tests.conftest import Database

DAYS = 30


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def thief(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def emptied(owner: Connection, days: float) -> None:
    """All that hung on a key was moved so long ago, and what it was wrapped in before is kept."""
    await owner.execute("INSERT INTO vault.subject_keys VALUES (gen_random_uuid(), 'user-ada', 'profile', 1, 'nonsense', 'mo-new')")
    await owner.execute(
        "INSERT INTO vault.subject_keks (kek_id, closed_at, emptied_at) "
        "SELECT 'mo-old', at, at FROM (SELECT clock_timestamp() - $1::interval AS at) d",
        timedelta(days=days),
    )
    await owner.execute(
        "INSERT INTO vault.earlier_wrappings (kek_id, key_id, wrapped) SELECT 'mo-old', key_id, 'right' FROM vault.subject_keys"
    )


@pytest.mark.parametrize(("days", "goes"), [(2, False), (DAYS - 0.1, False), (DAYS + 0.1, True)])
async def test_an_old_key_goes_when_backups_are_old_and_not_sooner(
    owner: Connection, thief: Connection, *, days: float, goes: bool
) -> None:
    await emptied(owner, days)
    assert await thief.fetchval("SELECT vault.destroy_kek('mo-old')") is goes
    await thief.fetchval("SELECT vault.forget_wrappings('mo-old', 10)")
    assert await owner.fetchval("SELECT count(*) FROM vault.earlier_wrappings") == (0 if goes else 1)


async def test_how_old_backups_get_is_for_the_owner_to_say(owner: Connection, thief: Connection) -> None:
    await emptied(owner, 2)
    for statement in ("UPDATE vault.backups SET days = 1", "DELETE FROM vault.backups", "INSERT INTO vault.backups VALUES (false, 1)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await thief.execute(statement)
    assert await thief.fetchval("SELECT vault.destroy_kek('mo-old')") is False
    await say_backup_days(owner, 1)
    assert await thief.fetchval("SELECT vault.destroy_kek('mo-old')") is True


async def test_no_month_is_registered_long_before_it_comes(owner: Connection, thief: Connection) -> None:
    """With a later one there, the one in use could be closed, and no process would have a key to wrap by."""
    this = months.first_of(datetime.now(UTC))
    far = months.next_month(months.next_month(this))
    register = "INSERT INTO vault.subject_keks (kek_id, month) VALUES ($1, $2)"
    await thief.execute(register, "mo-this", this)
    with pytest.raises(asyncpg.CheckViolationError):
        await thief.execute(register, "mo-far", far)
    assert await thief.fetchval("SELECT vault.close_month('mo-this')") is False
    await owner.execute(register, "mo-far", far)
