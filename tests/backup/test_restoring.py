"""What is restored is what was copied, nothing of it where anything is wrong, and it goes on in a new epoch."""

import os
import shutil
import socket
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from adapters.children import CannotStart
from adapters.master_key import NoMasterKey
from adapters.months import month_of
from adapters.second_place import open_second_place, place_at
from adapters.secret import Secret
from adapters.settings import Settings
from cli import backup, restore
from tests.backup.conftest import EMPTY, arguments, leading_to, making, register
from tests.conftest import Database
from tests.store.test_restore import log
from workers.backup import manifest as files
from workers.backup import newest, restoring
from workers.backup.making import Made, make
from workers.backup.manifest import BadBackup
from workers.backup.restoring import CannotRestore, believed


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """A backup that may be spoiled."""
    shutil.copytree(made.path, tmp_path / "copy")
    return tmp_path / "copy"


async def test_what_is_restored_is_what_was_copied_and_goes_on_in_a_new_epoch(
    settings: Settings, serving: Database, empty: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = leading_to(settings, serving)
    copied_then = await log(serving.app_url)
    made = await make(making(here, tmp_path / "backups"))
    await register(here, "late@example.org")
    assert await restore.restore(arguments(tmp_path / "backups"), leading_to(settings, empty)) == 0
    events = await log(empty.app_url)
    assert [each.event_id for each in events[:-1]] == [each.event_id for each in copied_then]
    assert (events[-1].type, len(events)) == ("log.epoch_opened.v1", made.manifest.size + 1)
    owner = await asyncpg.connect(empty.owner_url)
    assert await owner.fetchval("SELECT count(*) FROM vault.erased_list_reads") == 1, "and whoever was erased since was looked for"
    await owner.close()
    assert "as many as were copied" in capsys.readouterr().out


async def test_it_goes_into_nothing_but_an_empty_database(settings: Settings, made: Made) -> None:
    with pytest.raises(CannotRestore, match="not empty"):
        await restore.restore(arguments(made.path), settings)


async def test_it_goes_into_one_database(settings: Settings, made: Made, empty: Database) -> None:
    with pytest.raises(CannotRestore, match="different databases"):
        await restore.restore(arguments(made.path), replace(settings, backup_database_url=Secret(empty.superuser_url)))


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


async def test_what_was_changed_is_not_believed_and_not_restored(
    settings: Settings, copy: Path, empty: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(copy / files.DUMP)
    with pytest.raises(BadBackup, match=r"database\.dump was changed"):
        await believed(copy, settings)
    assert await restore.restore(arguments(copy), leading_to(settings, empty)) == 1
    assert await backup.verify(arguments(copy, quick=True), settings) == 1
    assert "database.dump was changed" in capsys.readouterr().err
    owner = await asyncpg.connect(empty.owner_url)
    assert await owner.fetchval("SELECT to_regclass('public.events')") is None
    await owner.close()


async def test_what_is_changed_after_it_was_looked_at_is_not_restored(settings: Settings, copy: Path, empty: Database) -> None:
    manifest = await believed(copy, settings)
    spoil(copy / files.DUMP)
    with pytest.raises(BadBackup, match="changed while it was being restored"):
        await restoring.restore(empty.superuser_url, copy, manifest)
    (copy / files.DUMP).write_bytes(b"")
    with pytest.raises(BadBackup, match="changed while it was being restored"):
        await restoring.restore(empty.superuser_url, copy, manifest)
    owner = await asyncpg.connect(empty.owner_url)
    assert await owner.fetchval("SELECT to_regclass('public.events')") is None
    await owner.close()


async def test_what_else_is_changed_after_it_was_looked_at_is_not_believed(settings: Settings, copy: Path, tmp_path: Path) -> None:
    manifest = await believed(copy, settings)
    month = next(name for name in manifest.files if name.startswith("months/"))
    lost = replace(settings, keys_dir=str(tmp_path / "lost"))
    for how in (spoil, link_away):
        how(copy / month)
        with pytest.raises(BadBackup, match=r"was changed|cannot be read"):
            await restoring.put_months(copy, manifest, lost)
    spoil(copy / files.SETTINGS)
    with pytest.raises(BadBackup, match=r"settings\.json was changed"):
        files.content(copy, files.SETTINGS, manifest)
    assert not list(Path(lost.keys_place).glob("months/*"))


def link_away(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to(path.with_name("moved"))


async def test_an_older_one_under_a_newer_name_is_not_believed(settings: Settings, copy: Path, made: Made) -> None:
    renamed = copy.rename(copy.with_name("minos-20990101T000000Z"))
    with pytest.raises(BadBackup, match=f"it was made as {made.path.name}"):
        await believed(backup.chosen(renamed.parent), settings)
    await believed(renamed.rename(copy), settings)  # a name of the operator's own says no moment


async def test_who_restores_one_is_told_of_a_newer(
    settings: Settings, copy: Path, made: Made, empty: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    later = made.manifest.made_at + timedelta(seconds=1)
    await newest.note(open_second_place(settings), made_at=later, name="minos-later", size=99)
    elsewhere = replace(settings, backup_database_url=Secret(empty.superuser_url))
    with pytest.raises(CannotRestore, match="different databases"):
        await restore.restore(arguments(copy), elsewhere)
    assert "it is not the newest: the second place knows of minos-later, with 99 events" in capsys.readouterr().out


async def test_a_broken_one_is_told_of_and_the_others_are_listed(
    settings: Settings, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = copy.rename(copy.with_name("minos-20260101T000000Z")), copy.with_name("minos-20260102T000000Z")
    broken.mkdir()
    (broken / files.MANIFEST).write_text("{}")
    assert await backup.list_them(Namespace(folder=copy.parent, json=False), settings) == 1
    told = capsys.readouterr()
    assert f"{broken}: its manifest is none" in told.err
    assert whole.name in told.out


async def test_a_file_more_and_a_file_less_are_told_of(settings: Settings, copy: Path) -> None:
    (copy / "more").touch()
    (copy / files.SETTINGS).unlink()
    with pytest.raises(BadBackup, match=r"settings\.json is missing; more is not of this backup"):
        await believed(copy, settings)


@pytest.mark.parametrize("how", ["link", "link-to-a-folder", "pipe", "device"])
async def test_what_is_no_plain_file_is_not_opened(settings: Settings, copy: Path, made: Made, how: str) -> None:
    """Behind a link there may be something else at the next look, and a pipe or a device has no end."""
    dump = copy / files.DUMP
    dump.unlink()
    match how:
        case "link":
            dump.symlink_to(made.path / files.DUMP)
        case "link-to-a-folder":
            shutil.copy(made.path / files.DUMP, dump)
            (copy / "more").symlink_to(made.path)
        case "pipe":
            os.mkfifo(dump)
        case _:
            dump.symlink_to("/dev/zero")
    with pytest.raises(BadBackup, match=r"database\.dump was changed|more is not of this backup"):
        await believed(copy, settings)
    (copy / files.MANIFEST).unlink()
    (copy / files.MANIFEST).symlink_to("/dev/zero")
    with pytest.raises(BadBackup, match="cannot be read"):
        await believed(copy, settings)


async def test_one_of_another_authority_is_not_restored(settings: Settings, made: Made, empty: Database) -> None:
    """Which has the same master key, as a rehearsal may."""
    there = replace(leading_to(settings, empty), issuer="https://auth.example.org")
    with pytest.raises(CannotRestore, match="the backup is of http://127"):
        await restore.restore(arguments(made.path), there)


async def test_what_else_lies_beside_the_months_keys_is_not_copied(settings: Settings, tmp_path: Path) -> None:
    lost = replace(settings, keys_dir=str(tmp_path / "keys"))
    shutil.copytree(settings.keys_place, lost.keys_place)
    (Path(lost.keys_place) / "months" / "Notes of somebody~").write_text("none of ours")
    there = await make(making(lost, tmp_path / "backups", months=True))
    names = [name for name in there.manifest.files if name.startswith("months/")]
    assert names == [name for name in names if month_of(name)] != []


async def test_a_manifest_that_nobody_sealed_is_not_believed(settings: Settings, copy: Path, made: Made) -> None:
    (copy / files.MANIFEST).write_bytes(files.encoded(replace(made.manifest, size=made.manifest.size + 1)))
    with pytest.raises(BadBackup, match=f"{copy}: .*not the one that was sealed"):
        await believed(copy, settings)


async def test_without_its_master_key_nothing_is_believed(settings: Settings, copy: Path) -> None:
    with pytest.raises(NoMasterKey, match="sealed by mk-"):
        await believed(copy, replace(settings, master_key=Secret("Ag" * 21 + "A=")))


async def test_what_is_no_backup_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadBackup, match="no folder"):
        backup.chosen(tmp_path / "nowhere")
    with pytest.raises(BadBackup, match="no backup is in"):
        backup.chosen(tmp_path)
    with pytest.raises(BadBackup, match=r"is .* a backup"):
        await believed(tmp_path, settings)
    with pytest.raises(BadBackup, match="format 2"):
        files.decoded(msgspec.json.encode({**msgspec.json.decode(files.encoded(EMPTY)), "format": 2}))


async def test_months_keys_go_only_where_none_are(settings: Settings, made: Made, empty: Database, tmp_path: Path) -> None:
    there = leading_to(settings, empty)
    with pytest.raises(CannotRestore, match="an old copy never goes over them"):
        await restore.restore(arguments(made.path, with_months=True), there)
    lost = replace(there, keys_dir=str(tmp_path / "lost"))
    assert await restore.restore(arguments(made.path, with_months=True, quick=True), lost) == 0
    names = await place_at(lost.keys_place, lost).names("months/")
    assert list(names) == sorted(name for name in made.manifest.files if name.startswith("months/"))


async def test_without_the_months_keys_it_is_restored_and_not_begun(
    settings: Settings, made: Made, empty: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = replace(leading_to(settings, empty), keys_dir=str(tmp_path / "lost"))
    assert await restore.restore(arguments(made.path, quick=True), lost) == 2
    told = capsys.readouterr()
    assert "restored, and not begun" in told.err
    assert "minos log open-epoch --reason restored" in told.out


async def test_one_that_was_tried_is_known_to_the_doctor(settings: Settings, made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert (await newest.read(open_second_place(settings))).verified_at is None
    assert await backup.verify(arguments(made.path), settings) == 0
    assert f"nothing is wrong up to position {made.manifest.size}" in capsys.readouterr().out
    assert (await newest.read(open_second_place(settings))).verified == made.path.name


async def test_a_database_that_is_away_is_named_with_its_settings(settings: Settings, made: Made, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = Secret(f"postgresql://postgres@127.0.0.1:{nobody.getsockname()[1]}/minos")
        there = replace(settings, database_url=away, migration_database_url=away, backup_database_url=away)
        with pytest.raises(CannotStart, match=r"PostgreSQL cannot be used: .*MINOS_BACKUP_DATABASE_URL"):
            await restore.restore(arguments(made.path), there)
        with pytest.raises(CannotStart, match=r"PostgreSQL cannot be used: .*MINOS_BACKUP_DATABASE_URL"):
            await backup.make(Namespace(folder=tmp_path, with_months=False, json=False, keep=None), there)
