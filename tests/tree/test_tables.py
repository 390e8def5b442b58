"""What the tables of the tree take, and from whom."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from tests.conftest import Database
from tests.tree.dated import moment, write_dated
from tests.tree.unsigned import name_the_log, note_of, store_unsigned

Tile = tuple[int, int, bytes]
ROOT = bytes(32)


@pytest.fixture
async def app(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    await write_dated(database.owner_url, database.app_url, [moment(n) for n in range(600)])
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


def tile(level: int, number: int, filling: int = 0) -> Tile:
    return level, number, bytes([filling]) * 8192


async def store(connection: "asyncpg.Connection[asyncpg.Record]", tiles: Sequence[Tile], second: float = 9) -> int:
    stored: int = await connection.fetchval(
        "SELECT store_tiles($1, $2, $3, $4, $5)",
        [level for level, _, _ in tiles],
        [number for _, number, _ in tiles],
        [hashes for _, _, hashes in tiles],
        [ROOT] * len(tiles),
        [moment(second) if level == 0 else None for level, _, _ in tiles],
    )
    return stored


async def test_tiles_are_stored_one_after_the_other_and_again_changes_nothing(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    assert await store(app, [tile(0, 0)]) == 1
    assert await store(app, [tile(0, 0), tile(0, 1)]) == 1
    assert await store(app, [tile(0, 0), tile(0, 1)]) == 0


async def test_another_tile_at_the_same_place_is_refused(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await store(app, [tile(0, 0)])
    with pytest.raises(asyncpg.DataCorruptedError):
        await store(app, [tile(0, 0, filling=1), tile(0, 1)])
    with pytest.raises(asyncpg.DataCorruptedError):
        await store(app, [tile(0, 0)], second=8)
    assert await app.fetchval("SELECT count(*) FROM log_tiles") == 1


async def test_log_time_does_not_run_backwards(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await store(app, [tile(0, 0)])
    with pytest.raises(asyncpg.CheckViolationError):
        await store(app, [tile(0, 1)], second=8)


@pytest.mark.parametrize(
    "tiles", [[tile(0, 1)], [tile(1, 0)], [tile(0, 0), tile(0, 1), tile(0, 2)]], ids=["a gap", "of nothing", "past the log"]
)
async def test_only_the_next_tile_is_stored(app: "asyncpg.Connection[asyncpg.Record]", tiles: list[Tile]) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await store(app, tiles)


async def test_a_tile_that_completes_one_above_comes_with_it(database: Database, app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await write_dated(database.owner_url, database.app_url, [])
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("INSERT INTO log_tiles SELECT 0, n, $1, $2 FROM generate_series(0, 254) n", bytes(8192), ROOT)
    await owner.execute("UPDATE log_head SET size = 70000")
    await owner.close()
    with pytest.raises(asyncpg.CheckViolationError):
        await store(app, [tile(0, 255)])
    with pytest.raises(asyncpg.CheckViolationError):
        await store(app, [tile(0, 255), tile(1, 0, filling=1)])
    assert await store(app, [tile(0, 255), tile(1, 0)]) == 2


async def test_checkpoints_only_grow(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await name_the_log(app)
    await store(app, [tile(0, 0), tile(0, 1)])
    assert await store_unsigned(app, 10)
    assert await store_unsigned(app, 600)
    assert not await store_unsigned(app, 600), "the same once more"
    for size, root in [(599, ROOT), (601, ROOT), (600, bytes([1]) * 32)]:
        with pytest.raises(asyncpg.CheckViolationError):
            await store_unsigned(app, size, root)
    with pytest.raises(asyncpg.CheckViolationError):
        await store_unsigned(app, 600, epoch=2)


async def test_a_checkpoint_comes_after_its_tiles(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await name_the_log(app)
    await store(app, [tile(0, 0)])
    with pytest.raises(asyncpg.CheckViolationError):
        await store_unsigned(app, 512)
    assert await store_unsigned(app, 511)


@pytest.mark.parametrize(
    "note",
    ["note", note_of(11, ROOT), note_of(10, bytes([1]) * 32), note_of(10, ROOT, epoch=2), note_of(10, ROOT).replace("id.", "my.")],
    ids=["none", "another size", "another root", "another epoch", "another name"],
)
async def test_a_note_says_what_its_columns_say(app: "asyncpg.Connection[asyncpg.Record]", note: str) -> None:
    await name_the_log(app)
    with pytest.raises(asyncpg.CheckViolationError):
        await app.execute("SELECT store_checkpoint(1, 10, $1, $2, NULL, now())", ROOT, note)


@pytest.mark.parametrize("table", ["log_tiles", "log_times", "log_checkpoints"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES", "DROP TABLE {}"])
async def test_the_serving_role_writes_no_table_of_the_tree(app: "asyncpg.Connection[asyncpg.Record]", table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement.format(table))


@pytest.mark.parametrize("statement", ["DELETE FROM log_tiles", "UPDATE log_times SET latest = now()", "TRUNCATE log_checkpoints"])
async def test_what_is_in_the_tree_stays_for_the_owner_too(database: Database, statement: str) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    finally:
        await owner.close()


@pytest.mark.parametrize("statement", ["UPDATE vault.log_keys SET wrapped = ''", "DELETE FROM vault.log_keys"])
async def test_the_serving_role_keeps_the_key_of_the_log(app: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)
