"""`minos restore`: brings a backup into an empty database, and goes on from there in a new epoch."""

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import COULD_NOT, DONE, NO, Commands

if TYPE_CHECKING:
    from adapters.settings import Settings
    from workers.backup.manifest import Manifest


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "restore",
        help="bring a backup into an empty database",
        description=(
            "Check a backup's seal and files, restore it as an administrator (MINOS_BACKUP_DATABASE_URL) into a database that is empty, "
            "check the whole log there, open a new epoch, and erase again whoever was erased since. Needs the master key, the second place "
            "and the months' keys as they are now. Nothing may serve meanwhile. Without a database of yours, the one of MINOS_DATA_DIR is "
            "made; `minos up` must not run."
        ),
        epilog="example: minos restore /var/backups/minos",
    )
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="the folder of one backup, or one with several: the newest of them")
    parser.add_argument(
        "--with-months", action="store_true", help="put the months' keys of the backup where none are: for when they are lost"
    )
    parser.add_argument("--quick", action="store_true", help="go on without checking the log: `minos audit verify` does it later")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup

    return asyncio.run(restore(args, startup.settings()))


async def restore(args: argparse.Namespace, settings: "Settings") -> int:
    """Give the exit code. Raises what stands in the way of it before anything is restored."""
    from cli.backup import chosen
    from cli.database import reached
    from cli.progress import Bar
    from workers.backup import restoring
    from workers.backup.manifest import BadBackup
    from workers.backup.trying import checked

    try:
        folder = chosen(args.backup)
        manifest = await restoring.believed(folder, settings)
        restoring.refuse_anothers(manifest, settings)
        _say(f"{folder} is whole: {manifest.size} events of {manifest.made_at:%Y-%m-%d %H:%M:%SZ}, made by release {manifest.release}")
        await _tell_of_newer(settings, manifest)
        async with _empty_database(settings) as (leading, urls):
            await reached(urls.admin)
            await restoring.refuse_different([urls.admin, urls.owner, urls.app])
            if args.with_months:
                _say(f"{await restoring.put_months(folder, manifest, leading)} months' keys put into {leading.keys_place}")
            with Bar(quiet=False) as bar:
                await restoring.restore(urls.admin, folder, manifest, bar.advance)
                _say(f"restored: {sum(manifest.tables.values())} rows of {len(manifest.tables)} tables, as many as were copied")
                report = None if args.quick else await checked(urls.app, folder, manifest, bar.advance)
            if report is not None and report.findings:
                _say("the log is not what it was: no epoch was opened. Find out with `minos audit verify`")
                return NO
            return await _go_on(leading, urls)
    except BadBackup as bad:
        print(f"minos: {bad}", file=sys.stderr)
        return NO


async def _tell_of_newer(settings: "Settings", manifest: "Manifest") -> None:
    """Who takes the newest backups away chooses what comes back; nobody knows better where the second place knows of none."""
    from adapters.second_place import PlaceAway, open_second_place
    from workers.backup import newest

    place = open_second_place(settings)
    try:
        known = await newest.read(place)
    except PlaceAway:
        return  # it is asked again in the end, and has to be there then
    finally:
        await place.close()
    if known.made_at is not None and known.made_at > manifest.made_at:
        _say(f"it is not the newest: the second place knows of {known.name}, with {known.size} events")


class Urls(Struct, frozen=True, kw_only=True):
    """The same database as three roles. Each holds a password."""

    admin: str
    owner: str
    app: str

    def __repr__(self) -> str:
        return "Urls(hidden)"


@asynccontextmanager
async def _empty_database(settings: "Settings") -> "AsyncGenerator[tuple[Settings, Urls]]":
    """Give the database that is named, or one of the data folder for as long as the block runs, with settings that lead to it."""
    from msgspec.structs import replace

    from adapters.secret import Secret
    from cli import startup
    from cli.authority import backup_url, owner_url

    if settings.database_url is not None:
        yield settings, Urls(admin=backup_url(settings).reveal(), owner=owner_url(settings).reveal(), app=settings.database_url.reveal())
        return
    from adapters.embedded_postgres import PostgresServer

    startup.hold_data_folder(settings.data_dir)
    server = PostgresServer(settings.data_dir / "postgres", tell=_say)
    await server.start()
    try:
        urls = Urls(admin=server.admin_url, owner=server.owner_url, app=server.app_url)
        yield replace(settings, database_url=Secret(urls.app), migration_database_url=Secret(urls.owner)), urls
    finally:
        await server.stop()


async def _go_on(settings: "Settings", urls: Urls) -> int:
    """Begin where the backup ends. What stands in the way can be mended, and this be done by itself then."""
    from adapters.master_key import NoMasterKey
    from adapters.second_place import PlaceAway, open_second_place
    from adapters.transit import KmsAway, KmsRefused
    from adapters.wrapping import CannotUnwrap
    from cli.erased_again import EntriesRefused
    from cli.log import go_on
    from domain.log import EpochReason
    from workers.epochs import CannotOpen

    await _migrate(settings, urls.owner)
    place = open_second_place(settings)
    try:
        await go_on(settings, urls.owner, place, EpochReason.RESTORED)
    except (NoMasterKey, PlaceAway, KmsAway, KmsRefused, CannotUnwrap, EntriesRefused, CannotOpen) as error:
        print(f"minos: restored, and not begun: {error}", file=sys.stderr)
        _say("mend that, and then open the epoch: minos log open-epoch --reason restored; serve nothing before")
        return COULD_NOT
    finally:
        await place.close()
    _say("a new epoch is open, and whoever was erased since is erased again")
    _say("next: start `minos serve` and `minos work`, or `minos up`; then `minos doctor`")
    return DONE


async def _migrate(settings: "Settings", owner_url: str) -> None:
    """A backup may be of an earlier release."""
    from adapters.subject_keks import say_backup_days
    from cli.database import connect
    from migrations import runner

    connection = await connect(owner_url)
    try:
        if applied := await runner.migrate(connection):
            _say(f"migrations applied: {', '.join(map(str, applied))}")
        await say_backup_days(connection, settings.backup_days)
    finally:
        await connection.close(timeout=5)


def _say(line: str) -> None:
    print(line, flush=True)
