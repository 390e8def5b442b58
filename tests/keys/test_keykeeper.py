"""The worker that keeps the months: opened from settings, over a real database; what it destroyed is in the log."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from adapters import months
from adapters.second_place import FolderPlace
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.subject_keks import say_backup_days
from adapters.wrapping import Wrapping
from tests.conftest import Database
from tests.keys.conftest import MASTER
from workers.keykeeper import AHEAD, Kept, Keykeeper


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        issuer="https://id.example.org",
        database_url=Secret(database.app_url),
        master_key=Secret(base64.b64encode(MASTER.key).decode()),
        backup_days=1,
    )


async def test_a_month_that_is_over_goes_and_the_log_says_so_once(settings: Settings, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Of a month long ago there is a key that nothing hangs on any more."""
    await say_backup_days(owner, 1)
    told: list[Kept] = []
    keeper = Keykeeper(settings, observe=told.append)
    await keeper.step()
    long_ago = months.first_of(datetime.now(UTC) - timedelta(days=400))
    key = months.new_key(long_ago)
    await FolderPlace(Path(settings.keys_place)).put(months.name_of(long_ago), months.encoded(key, Wrapping([MASTER])), expect=None)
    await keeper.step()  # registers and closes it
    for column in ("closed_at", "emptied_at"):
        await owner.execute(f"UPDATE vault.subject_keks SET {column} = {column} - interval '2 days' WHERE kek_id = $1", key.kek_id)
        await keeper.step()
    await keeper.step()
    assert sum(kept.destroyed for kept in told) == 1
    assert b"destroyed_at" in (Path(settings.keys_place) / months.name_of(long_ago)).read_bytes()
    rows = await owner.fetch("SELECT actor, payload FROM events WHERE type = 'vault.month_destroyed.v1'")
    assert [(row[0], key.kek_id.encode() in row[1]) for row in rows] == [("system:keykeeper", True)]


async def test_the_next_months_key_is_there_a_week_ahead_and_not_sooner(settings: Settings) -> None:
    await Keykeeper(settings).step()
    now = datetime.now(UTC)
    this = months.first_of(now)
    expected = {this} | ({months.next_month(this)} if months.first_of(now + AHEAD) != this else set())
    assert {months.month_of(f"months/{path.name}") for path in (Path(settings.keys_place) / "months").glob("2*")} == expected
