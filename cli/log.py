"""`minos log`: where the log stands, going on after a restore, and growing the tree anew."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import COULD_NOT, DONE, NO, Commands

if TYPE_CHECKING:
    from adapters.second_place import SecondPlace
    from adapters.settings import Settings
    from domain.log import EpochReason


class ShownLog(Struct, frozen=True, kw_only=True):
    size: int
    epoch: int
    checkpoint: int
    """How many events are under the newest checkpoint of this epoch."""


class ShownRegrowth(Struct, frozen=True, kw_only=True):
    known: int
    """So many events are under the checkpoint in the second place: the tree stays as far as that."""
    tiles: int
    checkpoints: int
    done: bool


def add(commands: Commands) -> argparse.ArgumentParser:
    from domain.log import EpochReason

    parser = commands.add_parser(
        "log",
        help="show where the log stands; open a new epoch after a restore; grow its tree anew",
        description=(
            "A position means something only together with the log's epoch. After a restore from a backup, or when NATS knows more than "
            "the database, nothing goes on until an operator opens a new epoch: readers outside then start over. It is opened as the owner "
            "role (MINOS_MIGRATION_DATABASE_URL), with the second place (MINOS_SECOND_PLACE) that says what was published."
        ),
        epilog="example: minos log open-epoch --reason restored",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="the last position, the epoch, and how much of it is under a checkpoint")
    opening = actions.add_parser("open-epoch", help="number what has no position, and begin a new epoch; writers wait meanwhile")
    opening.add_argument(
        "--reason",
        required=True,
        choices=[str(reason) for reason in EpochReason],
        help="restored from a backup; NATS ahead of the database; a log that is not what was published; other. The log says it for ever",
    )
    regrowing = actions.add_parser(
        "regrow",
        help="take back tiles beyond the checkpoint in the second place, and unsigned checkpoints; the integrator makes them anew",
        description=(
            "For when the integrator halts over a tile that is not the log's, or a checkpoint that nobody signed: whoever has the serving "
            "role's password can store such. Change that first. Nothing is lost: tiles are made of the entries, and what the log's key "
            "signed stays."
        ),
    )
    regrowing.add_argument("--all", action="store_true", help="take back all tiles whose entries are there, and look at every checkpoint")
    regrowing.add_argument("--dry-run", action="store_true", help="only say what would be taken back")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import database_url, owner_url

    settings = startup.settings()
    if args.action == "status":
        return asyncio.run(_show(args, database_url(settings).reveal()))
    act = _regrow if args.action == "regrow" else _open_epoch
    return asyncio.run(act(args, settings, owner_url(settings).reveal()))


async def _show(args: argparse.Namespace, url: str) -> int:
    from adapters.log_reader import LogReader
    from adapters.postgres_links import Links
    from adapters.tree_store import TreeStore
    from cli.printing import print_rows

    reader, links = LogReader(url), Links(url, size=1)
    try:
        now = await reader.size()
        newest = await TreeStore(links).newest(now.epoch)
    finally:
        await reader.close()
        await links.close()
    print_rows([ShownLog(size=now.size, epoch=now.epoch, checkpoint=newest.size if newest else 0)], as_json=args.json)
    return DONE


async def _open_epoch(args: argparse.Namespace, settings: "Settings", url: str) -> int:
    import asyncpg

    from adapters.second_place import PlaceAway, open_second_place
    from cli.erased_again import EntriesRefused
    from domain.log import EpochReason
    from workers.epochs import CannotOpen

    place = open_second_place(settings)
    try:
        await go_on(settings, url, place, EpochReason(args.reason))
    except asyncpg.InsufficientPrivilegeError:
        print("minos: only the role that owns the schema opens an epoch; set MINOS_MIGRATION_DATABASE_URL", file=sys.stderr)
        return COULD_NOT
    except (CannotOpen, EntriesRefused, PlaceAway) as error:
        print(f"minos: {error}", file=sys.stderr)
        return COULD_NOT
    finally:
        await place.close()
    return await _show(args, url)


async def go_on(settings: "Settings", owner_url: str, place: "SecondPlace", reason: "EpochReason") -> None:
    """Open an epoch, and erase again whoever is back. What it takes is looked for first: the keys, and a list that can be believed.

    Raises EntriesRefused, CannotOpen, PlaceAway, what open_ports raises, and what the database raises.
    """
    from msgspec.structs import replace

    from cli.authority import database_url
    from cli.erased_again import erased_again
    from workers.epochs import open_epoch

    async with erased_again(replace(settings, database_url=database_url(settings)), place) as again:
        await again.mend()
        await open_epoch(owner_url, place, reason)
        await again.erase()


async def _regrow(args: argparse.Namespace, settings: "Settings", url: str) -> int:
    import asyncpg

    from adapters.second_place import PlaceAway, open_second_place
    from cli.printing import print_rows
    from workers.integrator.judging import Refused
    from workers.regrowing import take_back

    place = open_second_place(settings)
    try:
        taken = await take_back(url, place, everything=args.all, dry=args.dry_run)
    except asyncpg.InsufficientPrivilegeError:
        print("minos: only the role that owns the schema takes tiles back; set MINOS_MIGRATION_DATABASE_URL", file=sys.stderr)
        return COULD_NOT
    except (PlaceAway, Refused) as error:
        print(f"minos: {error}", file=sys.stderr)
        return COULD_NOT
    finally:
        await place.close()
    shown = ShownRegrowth(known=taken.known, tiles=taken.tiles, checkpoints=taken.checkpoints, done=not args.dry_run)
    print_rows([shown], as_json=args.json)
    if taken.refused:
        print(f"minos: the integrator still halts: {taken.refused}", file=sys.stderr)
        return NO
    return DONE
