"""`minos backup`: copies the whole authority while it serves, and finds out whether a copy can be restored."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import DONE, NO, Commands, at_least

if TYPE_CHECKING:
    from adapters.settings import Settings
    from workers.backup.making import Made


class ShownBackup(Struct, frozen=True, kw_only=True):
    """`size`: events with a position; `checkpoint`: how many of them are under the newest checkpoint in it."""

    name: str
    made_at: datetime
    megabytes: float
    epoch: int
    size: int
    checkpoint: int
    months: bool


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "backup",
        help="copy the whole authority while it serves; check a copy",
        description=(
            "A backup is a folder: the database of one moment, its newest checkpoint, the settings but for the secret ones, and a manifest "
            "with the digest of each, sealed by a root key. The master key is not in it. Reads as MINOS_BACKUP_DATABASE_URL."
        ),
        epilog="example: minos backup make /var/backups/minos --keep 14",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    making = actions.add_parser("make", help="make one in a folder of its own below FOLDER", epilog="example: minos backup make backups")
    making.add_argument("folder", type=Path, metavar="FOLDER")
    making.add_argument(
        "--keep", type=at_least(1, 10_000), metavar="N",
        help="then take away all of this authority but the newest N there, and those older than MINOS_BACKUP_DAYS",
    )  # fmt: skip
    making.add_argument(
        "--with-months", action="store_true",
        help="copy the months' keys too: with them and the master key, whoever has it reads what is erased later; keep it no longer than "
        "MINOS_BACKUP_DAYS",
    )  # fmt: skip
    verifying = actions.add_parser(
        "verify",
        help="restore one into a server of its own, and check the whole log there; exit 1 when anything is wrong",
        epilog="example: minos backup verify backups/minos-20261126T031500Z",
    )
    verifying.add_argument("backup", type=Path, metavar="BACKUP", help="the folder of one backup, or one with several: the newest of them")
    verifying.add_argument("--quick", action="store_true", help="only its seal and the digest of each file")
    listing = actions.add_parser("list", help="the backups in a folder")
    listing.add_argument("folder", type=Path, metavar="FOLDER")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup

    act = {"make": make, "verify": verify, "list": list_them}[args.action]
    return asyncio.run(act(args, startup.settings()))


async def make(args: argparse.Namespace, settings: "Settings") -> int:
    from importlib.metadata import version

    from cli.authority import backup_url
    from cli.database import reached
    from cli.progress import Bar
    from workers.backup import making
    from workers.backup.folder import expire

    url = backup_url(settings).reveal()
    await reached(url)
    asked = making.Making(url=url, parent=args.folder.absolute(), settings=settings, release=version("minos"), months=args.with_months)
    with Bar(quiet=args.json, unit="tables") as bar:
        made = await making.make(asked, bar.advance)
    await _noted(settings, made_at=made.manifest.made_at, name=made.path.name, size=made.manifest.size, months=args.with_months)
    _print([_shown(made)], as_json=args.json)
    oldest = datetime.now(UTC) - timedelta(days=settings.backup_days)
    if args.keep is not None:
        for path in expire(asked.parent, settings.issuer, keep=args.keep, made_before=oldest):
            print(f"took away {path}", file=sys.stderr)
    else:
        _tell_of_old_ones(asked.parent, oldest, settings)
    return DONE


async def verify(args: argparse.Namespace, settings: "Settings") -> int:
    from cli.progress import Bar
    from workers.backup.manifest import BadBackup
    from workers.backup.restoring import believed

    try:
        folder = chosen(args.backup)
        manifest = await believed(folder, settings)
        if args.quick:
            print(f"{folder}: sealed by {manifest.issuer}, {len(manifest.files)} files as they were written")
            return DONE
        from cli.audit_actions.verify import print_report
        from workers.backup.trying import try_it

        with Bar(quiet=args.json) as bar:
            report = await try_it(folder, manifest, bar.advance)
    except BadBackup as bad:
        print(f"minos: {bad}", file=sys.stderr)
        return NO
    print_report(report, as_json=args.json)
    if report.findings:
        return NO
    await _noted(settings, verified_at=datetime.now(UTC), verified=folder.name)
    return DONE


async def list_them(args: argparse.Namespace, _: "Settings") -> int:
    from workers.backup import manifest as files
    from workers.backup.folder import backups
    from workers.backup.making import Made

    found, code = list[Made](), DONE
    for each in backups(args.folder):
        try:
            found.append(Made(path=each.path, manifest=files.decoded(files.read(each.path))))
        except files.BadBackup as bad:
            print(f"minos: {each.path}: {bad}", file=sys.stderr)
            code = NO
    _print([_shown(each) for each in found], as_json=args.json)
    return code


def chosen(given: Path) -> Path:
    """Give the backup that is meant: this folder, or the newest in it. Raises BadBackup."""
    from workers.backup.folder import backups
    from workers.backup.manifest import MANIFEST, BadBackup

    if not given.is_dir():
        raise BadBackup(f"{given} is no folder")
    if (given / MANIFEST).exists():
        return given.absolute()
    if not (lying := backups(given)):
        raise BadBackup(f"no backup is in {given}")
    return lying[-1].path.absolute()


async def _noted(settings: "Settings", **changes: object) -> None:
    """Say it where `minos doctor` looks. The backup is one without that too."""
    from adapters.second_place import PlaceAway, PlaceChanged, open_second_place
    from workers.backup import newest

    place = open_second_place(settings)
    try:
        await newest.note(place, **changes)
    except (PlaceAway, PlaceChanged) as error:
        print(f"minos: `minos doctor` will not know of it: {error}", file=sys.stderr)
    finally:
        await place.close()


def _tell_of_old_ones(parent: Path, oldest: datetime, settings: "Settings") -> None:
    from workers.backup.folder import own

    old = [each.path.name for each in own(parent, settings.issuer) if each.made_at < oldest]
    if old:
        print(f"minos: older than MINOS_BACKUP_DAYS ({settings.backup_days}): {', '.join(old)}; --keep takes them away", file=sys.stderr)


def _shown(made: "Made") -> ShownBackup:
    manifest = made.manifest
    return ShownBackup(
        name=made.path.name,
        made_at=manifest.made_at,
        megabytes=round(manifest.bytes / 2**20, 1),
        epoch=manifest.epoch,
        size=manifest.size,
        checkpoint=manifest.checkpoint,
        months=manifest.has_months,
    )


def _print(rows: list[ShownBackup], *, as_json: bool) -> None:
    from cli.printing import print_rows

    print_rows(rows, as_json=as_json, empty="no backup is there")
