"""Subject keys hang on a key of the month that lies outside the database, and is destroyed when its backups are old (threats.md 17)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

from adapters import months, rewrapping
from adapters.months import first_of
from adapters.postgres_links import Links
from adapters.rewrapping import Kind
from adapters.second_place import FolderPlace
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.subject_keks import KeysDiffer, SubjectKeks, say_backup_days, subject_keks
from adapters.vault import PostgresVault
from adapters.wrapping import CannotUnwrap, UnknownKek, Wrapping
from domain.event import Erased, SealClass, Sealed
from domain.ids import StreamName
from tests.conftest import Database
from tests.keys.conftest import MASTER, OTHER_MASTER, SettableClock
from tests.second_place.storage import storage
from workers.keykeeper import pass_through

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ADA, BOB = StreamName("user-ada"), StreamName("user-bob")
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
DAYS = 30


class World:
    """One machine: a folder, a database, a clock. Time passes for the database's notes, too."""

    def __init__(self, links: Links, owner: Connection, folder: Path, clock: SettableClock) -> None:
        self.links, self.owner, self.folder, self.clock = links, owner, folder, clock

    async def process(self, root: Wrapping | None = None, folder: Path | None = None) -> SubjectKeks:
        """What another process of this machine has, from its start on."""
        place = FolderPlace(folder or self.folder)
        keks = SubjectKeks(self.links, place, root or Wrapping([MASTER]), backup_days=DAYS, clock=self.clock)
        await keks.open()
        return keks

    async def vault(self) -> PostgresVault:
        return PostgresVault(self.links, await self.process())

    async def keep(self) -> None:
        """What the worker does in one pass."""
        await pass_through(self.links, await self.process(), self.clock())

    async def days(self, days: float) -> None:
        self.clock.pass_by(days * 86_400)
        await self.owner.execute(
            "UPDATE vault.subject_keks SET made_at = made_at - $1::interval, closed_at = closed_at - $1::interval, "
            "emptied_at = emptied_at - $1::interval, destroyed_at = destroyed_at - $1::interval",
            timedelta(days=days),
        )

    async def next_month(self) -> None:
        """Until an hour into the next month; the worker looked before it, and looks twice in it."""
        following = months.next_month(first_of(self.clock()))
        await self.keep()
        await self.days((datetime(following.year, following.month, 1, 1, tzinfo=UTC) - self.clock()) / timedelta(days=1))
        for _ in range(2):
            await self.keep()
            await self.days(0.001)

    async def keks_of(self) -> set[str]:
        return {row[0] for row in await self.owner.fetch("SELECT DISTINCT kek_id FROM vault.subject_keys")}


@pytest.fixture
async def world(database: Database, owner: Connection, tmp_path: Path, clock: SettableClock) -> AsyncIterator[World]:
    """As the owner, who may register a month whenever: the database has a clock of its own."""
    links = Links(database.owner_url, size=8)
    yield World(links, owner, tmp_path / "keys", clock)
    await links.close()


async def seal(vault: PostgresVault, text: str, of: StreamName = ADA) -> Sealed:
    return (await vault.seal(subject=of, seal_class=SealClass.PROFILE, stream=of, fields={"email": text}))["email"]


async def opened(vault: PostgresVault, sealed: Sealed, of: StreamName = ADA) -> str | Erased:
    return await vault.open(sealed, stream=of, field="email")


async def test_a_subjects_key_hangs_on_the_month_and_the_database_has_nothing_of_it(world: World) -> None:
    vault = await world.vault()
    await seal(vault, "ada@example.org")
    [kek_id] = await world.keks_of()
    assert kek_id.startswith("mo-2026-11-")
    keks = await world.process()
    [november] = keks.months
    rows = await world.owner.fetch("SELECT v::text FROM vault.subject_keks v UNION ALL SELECT v::text FROM vault.subject_keys v")
    assert not [row for row in rows if november.key.key.hex() in row[0]]
    file = world.folder / "months" / "2026-11"
    assert file.stat().st_mode & 0o777 == 0o600
    assert november.key.key not in file.read_bytes()


async def test_processes_that_make_a_months_key_at_once_end_with_one(world: World) -> None:
    made = await asyncio.gather(*(world.process() for _ in range(8)))
    assert len({keks.current for keks in made}) == 1
    assert await world.owner.fetchval("SELECT count(*) FROM vault.subject_keks") == 1


async def test_a_process_learns_of_a_month_that_another_one_made(world: World) -> None:
    early = await world.vault()
    await (await world.process()).make(DECEMBER)
    await world.days(10)
    sealed = await seal(await world.vault(), "ada@example.org")
    assert {kek_id[:10] for kek_id in await world.keks_of()} == {"mo-2026-12"}
    assert await opened(early, sealed) == "ada@example.org"


async def test_a_machine_with_a_folder_of_its_own_is_told_what_is_missing_where(world: World, tmp_path: Path) -> None:
    first = await world.process()
    with pytest.raises(KeysDiffer) as refused:
        await world.process(folder=tmp_path / "another machine")
    assert str(first.current) in str(refused.value)
    assert "MINOS_KEYS_DIR" in str(refused.value)
    assert str(tmp_path / "another machine") in str(refused.value)


async def test_machines_without_a_folder_in_common_share_a_bucket(world: World, tmp_path: Path) -> None:
    with storage() as server:
        bucket = f"s3://bucket/keys?endpoint={server.url}"
        machines = [
            Settings(data_dir=tmp_path / name, keys_dir=bucket, second_place_key=Secret("AKIA:secret"), backup_days=DAYS)
            for name in ("one", "another")
        ]
        keks = [subject_keks(settings, world.links, Wrapping([MASTER])) for settings in machines]
        await asyncio.gather(*(each.open() for each in keks))
        assert keks[0].current == keks[1].current
        sealed = await seal(PostgresVault(world.links, keks[0]), "ada@example.org")
        assert await opened(PostgresVault(world.links, keks[1]), sealed) == "ada@example.org"
        [month] = keks[0].months
        await keks[0].bury(month, world.clock())
        assert [b"destroyed_at" in data for data in server.objects.values()] == [True]


async def test_a_lost_folder_stops_the_start_instead_of_beginning_anew(world: World) -> None:
    await world.process()
    (world.folder / "months" / "2026-11").unlink()
    with pytest.raises(KeysDiffer, match="put it back from its copy"):
        await world.process()
    assert list((world.folder / "months").iterdir()) == []


async def test_what_was_wrapped_by_the_master_key_goes_over_to_the_month(world: World) -> None:
    before = PostgresVault(world.links, Wrapping([MASTER]))
    sealed = await seal(before, "ada@example.org")
    await world.keep()
    assert {kek_id[:3] for kek_id in await world.keks_of()} == {"mo-"}
    assert await opened(await world.vault(), sealed) == "ada@example.org"
    with pytest.raises(UnknownKek):
        await opened(PostgresVault(world.links, Wrapping([MASTER])), sealed)


async def test_each_month_live_keys_are_rewrapped_and_the_old_key_goes_when_its_backups_are_old(world: World) -> None:
    sealed = await seal(await world.vault(), "ada@example.org")
    backup = await world.owner.fetch("SELECT * FROM vault.subject_keys")
    await world.next_month()
    assert {kek_id[:10] for kek_id in await world.keks_of()} == {"mo-2026-12"}
    assert await restores(world, backup, sealed) == "ada@example.org"
    await world.days(DAYS - 1)
    await world.keep()
    assert (await world.process()).months[0].first_day == NOVEMBER
    await world.days(2)
    await world.keep()
    assert NOVEMBER not in {month.first_day for month in (await world.process()).months}
    assert await opened(await world.vault(), sealed) == "ada@example.org"
    assert await restores(world, backup, sealed) == Erased()
    assert await world.owner.fetchval("SELECT count(*) FROM vault.earlier_wrappings WHERE kek_id LIKE 'mo-2026-11-%'") == 0


async def restores(world: World, backup: list[asyncpg.Record], sealed: Sealed) -> str | Erased:
    """What the row of an old backup opens to, in a process that meets it there. Everything is as it was afterwards."""
    [row] = backup
    now = await world.owner.fetchrow("SELECT wrapped, kek_id FROM vault.subject_keys WHERE key_id = $1", row["key_id"])
    assert now is not None
    put = "UPDATE vault.subject_keys SET wrapped = $2, kek_id = $3 WHERE key_id = $1"
    await world.owner.execute(put, row["key_id"], row["wrapped"], row["kek_id"])
    try:
        return await opened(await world.vault(), sealed)
    finally:
        await world.owner.execute(put, row["key_id"], now["wrapped"], now["kek_id"])


async def test_a_backup_older_than_its_month_does_not_bring_the_register_back(world: World) -> None:
    """The whole database is put back, with its own belief of which months there are; the folder knows better."""
    await seal(await world.vault(), "ada@example.org")
    register = await world.owner.fetch("SELECT kek_id, month, made_at FROM vault.subject_keks")
    keys = await world.owner.fetch("SELECT * FROM vault.subject_keys")
    await world.next_month()
    await world.days(DAYS + 2)
    await world.keep()
    await world.owner.execute("DELETE FROM vault.subject_keys; DELETE FROM vault.subject_keks")
    await world.owner.executemany(
        "INSERT INTO vault.subject_keys VALUES ($1, $2, $3, $4, $5, $6, $7)", [tuple(row.values()) for row in keys]
    )
    await world.owner.executemany("INSERT INTO vault.subject_keks VALUES ($1, $2, $3)", [tuple(row.values()) for row in register])
    vault = await world.vault()
    [old] = keys
    assert await vault.open(Sealed(old["key_id"], b"x" * 40), stream=ADA, field="email") == Erased()
    anew = await seal(vault, "ada@example.org")
    assert await opened(await world.vault(), anew) == "ada@example.org"


async def test_a_month_that_something_still_needs_is_never_destroyed(world: World) -> None:
    await seal(await world.vault(), "ada@example.org")
    november = str((await world.process()).current)
    await world.next_month()
    await world.owner.execute("UPDATE vault.subject_keys SET kek_id = $1", november)  # a process that was asleep for a month
    await world.days(400)
    assert await world.owner.fetchval("SELECT vault.destroy_kek($1)", november) is False


async def test_nothing_is_wrapped_by_a_month_that_is_closed(world: World) -> None:
    slow = await world.vault()
    await (await world.process()).make(DECEMBER)
    await world.owner.fetchval("SELECT vault.close_month($1)", (await world.process()).months[0].key.kek_id)
    await seal(slow, "ada@example.org")
    assert {kek_id[:10] for kek_id in await world.keks_of()} == {"mo-2026-12"}


async def test_nonsense_in_the_place_of_a_key_is_mended_from_what_was_there_before(world: World, database: Database) -> None:
    """Whoever has the serving role may have keys rewrapped, and cannot destroy one by it."""
    sealed = await seal(await world.vault(), "ada@example.org")
    keks = await world.process()
    await keks.make(DECEMBER)
    row = await world.owner.fetchrow("SELECT key_id, kek_id, wrapped FROM vault.subject_keys")
    assert row is not None
    attacker = await asyncpg.connect(database.app_url)
    december = keks.months[-1].key.kek_id
    call = "SELECT vault.rewrap_subject_keys($1, $2, $3, $4, $5)"
    assert await attacker.fetchval(call, [row["key_id"]], [row["kek_id"]], [row["wrapped"]], december, [b"\0" * 60]) == 1
    await attacker.close()
    with pytest.raises(CannotUnwrap):
        await opened(await world.vault(), sealed)
    await world.keep()
    assert await opened(await world.vault(), sealed) == "ada@example.org"


async def test_what_was_moved_is_looked_at_once_and_what_a_thief_moves_again(world: World) -> None:
    sealed = await seal(await world.vault(), "ada@example.org")
    await world.next_month()
    keks = await world.process()
    passed = await pass_through(world.links, keks, world.clock())
    await world.owner.execute("UPDATE vault.earlier_wrappings SET moved_at = moved_at - interval '2 hours'")
    row = await world.owner.fetchrow("SELECT key_id, kek_id, wrapped FROM vault.subject_keys")
    assert row is not None
    call = "SELECT vault.rewrap_subject_keys($1, $2, $3, ($2::text[])[1], $4)"
    nonsense = [[row["key_id"]], [row["kek_id"]], [row["wrapped"]], [b"\0" * 60]]
    for _ in range(2):  # the second time over the nonsense of the first
        assert await world.owner.fetchval(call, *nonsense) == 1
        nonsense[2], nonsense[3] = nonsense[3], [b"\1" * 60]
    passed = await pass_through(world.links, keks, world.clock(), passed.compared)
    assert passed.mended == 1
    assert await opened(await world.vault(), sealed) == "ada@example.org"


async def test_a_backup_gets_as_old_as_the_owner_says_where_that_is_more(world: World) -> None:
    await seal(await world.vault(), "ada@example.org")
    now = world.clock()
    before = (await world.process()).backups_until(now)
    await say_backup_days(world.owner, DAYS + 5)
    assert (await world.process()).backups_until(now) - before == timedelta(days=5)
    await say_backup_days(world.owner, 1)
    assert (await world.process()).backups_until(now) == before


@pytest.mark.parametrize("wrong", ["key", "wrapping"])
async def test_a_rewrap_changes_only_what_is_still_as_it_was_read(world: World, wrong: str) -> None:
    await seal(await world.vault(), "ada@example.org")
    keks = await world.process()
    await keks.make(DECEMBER)
    row = await world.owner.fetchrow("SELECT key_id, kek_id, wrapped FROM vault.subject_keys")
    assert row is not None
    old, box = ("mk-other", row["wrapped"]) if wrong == "key" else (row["kek_id"], b"other")
    call = "SELECT vault.rewrap_subject_keys($1, $2, $3, $4, $5)"
    december = keks.months[-1].key.kek_id
    assert await world.owner.fetchval(call, [row["key_id"]], [old], [box], december, [b"\0" * len(box)]) == 0


async def test_an_erased_subjects_earlier_wrappings_go_with_its_key(world: World) -> None:
    await seal(await world.vault(), "ada@example.org")
    await world.next_month()
    assert await world.owner.fetchval("SELECT count(*) FROM vault.earlier_wrappings") == 1
    await world.owner.execute("DELETE FROM vault.subject_keys")
    assert await world.owner.fetchval("SELECT count(*) FROM vault.earlier_wrappings") == 0


async def test_the_date_given_for_an_erasure_is_kept(world: World) -> None:
    """What is destroyed today was in backups wrapped by this month's key, which goes then at the latest."""
    keks = await world.process()
    until = keks.backups_until(world.clock())
    assert until == datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=1 + DAYS)
    november = str(keks.current)
    await world.next_month()
    await world.days((until - world.clock()) / timedelta(days=1))
    await world.keep()
    assert november not in {month.key.kek_id for month in (await world.process()).months}


async def test_a_new_master_key_wraps_the_months_anew_and_they_stay_what_they_are(world: World) -> None:
    sealed = await seal(await world.vault(), "ada@example.org")
    both = await world.process(Wrapping([OTHER_MASTER, MASTER]))
    assert await both.rewrap_files() == 1
    assert await both.rewrap_files() == 0
    only = PostgresVault(world.links, await world.process(Wrapping([OTHER_MASTER])))
    assert await opened(only, sealed) == "ada@example.org"
    with pytest.raises(UnknownKek):
        await world.process(Wrapping([MASTER]))


async def test_a_months_key_that_is_gone_does_not_come_back_by_a_rewrap(world: World) -> None:
    await world.process()
    slow = await world.process(Wrapping([OTHER_MASTER, MASTER]))
    [november] = slow.months
    await (await world.process()).bury(november, world.clock())
    assert await slow.rewrap_files() == 0
    assert b"destroyed_at" in (world.folder / "months" / "2026-11").read_bytes()


async def test_signing_in_asks_no_folder_and_no_kms(world: World) -> None:
    sealed = await seal(await world.vault(), "ada@example.org")
    vault = await world.vault()
    (world.folder / "months" / "2026-11").rename(world.folder / "away")
    assert await opened(vault, sealed) == "ada@example.org"
    assert await opened(vault, await seal(vault, "bob@example.org", BOB), BOB) == "bob@example.org"


async def moved(world: World, kek_id: str) -> int:
    return sum([count async for count in rewrapping.rewrap_subjects(world.links, await world.process(), kek_id)])


async def test_a_rewrap_that_is_broken_off_goes_on_with_what_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrapping, "BATCH", 2)
    before = PostgresVault(world.links, Wrapping([MASTER]))
    people = [StreamName(f"user-{n}") for n in range(7)]
    sealed = [await seal(before, str(person), person) for person in people]
    batches = rewrapping.rewrap_subjects(world.links, await world.process(), MASTER.kek_id)
    assert await anext(batches) == 2
    await batches.aclose()
    assert await moved(world, MASTER.kek_id) == 5
    vault = await world.vault()
    assert [await opened(vault, each, person) for each, person in zip(sealed, people, strict=True)] == list(map(str, people))
    assert {each.kind: each.count for each in await rewrapping.hanging(world.links)} == {Kind.SUBJECT: 7}
