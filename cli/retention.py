"""`minos retention`: keep the log small, and see what became of its partitions."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import COULD_NOT, DONE, NO, Commands, at_least

if TYPE_CHECKING:
    from adapters.settings import Settings
    from workers.retention.keeping import Kept

CLOSE_AFTER_DAYS = 30


class ShownPartition(Struct, frozen=True, kw_only=True):
    """`pruned`: events whose payload has gone."""

    partition: int
    state: str
    first_position: int | None
    last_position: int | None
    events: int | None
    pruned: int
    latest: datetime | None
    megabytes: float


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "retention",
        help="keep the log small: seal what is full, prune what has its time",
        description=(
            "Refreshes of sessions that have been over for MINOS_ACTIVITY_DAYS lose what they said; that they were, and their hash in the "
            "audit tree, stay. Everything else is kept. Works as the owner role (MINOS_MIGRATION_DATABASE_URL), while the service serves; "
            "stopped on the way, the next run goes on. Run it each night."
        ),
        epilog="example: minos retention run --dry-run",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="the log's partitions and what became of each")
    run = actions.add_parser("run", help="do what is due")
    run.add_argument("--dry-run", action="store_true", help="only say what would be done")
    run.add_argument(
        "--close-after", type=at_least(0, 3_660), default=CLOSE_AFTER_DAYS, metavar="DAYS",
        help="begin a new partition when the first event of this one is so old (%(default)s)",
    )  # fmt: skip
    detach = actions.add_parser(
        "detach",
        help="take a sealed partition out of the log, its export having been checked",
        description=(
            "Move a partition's table out of the log, into the schema `detached`. Every entry of it must be in the export, and hash as the "
            "audit tree says. Old proofs hold; its events cannot be read, and no read model rebuilt, until `attach`. The oldest go first."
        ),
    )
    detach.add_argument("partition", type=at_least(0))
    detach.add_argument("--export", type=Path, required=True, metavar="FOLDER", help="what `minos audit export` wrote")
    attach = actions.add_parser("attach", help="bring a partition back, once each entry hashes as the audit tree says")
    attach.add_argument("partition", type=at_least(0))
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup

    return asyncio.run(_act(args, startup.settings()))


async def _act(args: argparse.Namespace, settings: "Settings") -> int:
    import sys

    from workers.retention.finding import NotAsHashed
    from workers.retention.partitions import RetentionRefused

    act = {"status": _status, "run": _run, "detach": _move, "attach": _move}[args.action]
    try:
        return await act(args, settings)
    except NotAsHashed as differs:
        print(f"minos: {differs}", file=sys.stderr)
        return NO
    except RetentionRefused as refused:
        print(f"minos: {refused}", file=sys.stderr)
        return COULD_NOT


async def _status(args: argparse.Namespace, settings: "Settings") -> int:
    from cli.authority import owner_url
    from cli.database import connect
    from cli.printing import print_rows
    from workers.retention.partitions import partitions, require_owner

    connection = await connect(owner_url(settings).reveal())
    try:
        await require_owner(connection)
        found = await partitions(connection)
    finally:
        await connection.close(timeout=5)
    shown = [
        ShownPartition(
            partition=each.number,
            state=each.state,
            first_position=each.first_position,
            last_position=each.last_position,
            events=each.events,
            pruned=each.pruned,
            latest=each.latest,
            megabytes=round(each.bytes / 2**20, 1),
        )
        for each in found
        if each.state != "ahead"
    ]
    print_rows(shown, as_json=args.json)
    return DONE


async def _run(args: argparse.Namespace, settings: "Settings") -> int:
    from cli.authority import owner_url
    from cli.printing import print_json
    from cli.progress import Bar
    from workers.retention.keeping import keep_small

    now = datetime.now(UTC)
    with Bar(quiet=args.json) as bar:
        done = await keep_small(
            owner_url(settings).reveal(),
            close_before=now - timedelta(days=args.close_after),
            over_before=now - timedelta(days=settings.activity_days),
            dry=args.dry_run,
            progress=bar.advance,
        )
    if args.json:
        print_json(done)
    else:
        print("\n".join(_told(done, dry=args.dry_run)) or "nothing is due")
    return DONE


async def _move(args: argparse.Namespace, settings: "Settings") -> int:
    from cli.authority import owner_url
    from cli.printing import print_json
    from workers.retention import moving
    from workers.retention.keeping import opened

    async with opened(owner_url(settings).reveal()) as connection:
        if args.action == "detach":
            moved = await moving.detach(connection, args.partition, args.export)
        else:
            moved = await moving.attach(connection, args.partition)
    if args.json:
        print_json(moved.stretch)
    else:
        where = "is in the schema `detached` now" if args.action == "detach" else "is in the log again"
        print(f"partition {args.partition}, positions {moved.first_position} to {moved.last_position}, {where}")
    return DONE


def _told(done: "Sequence[Kept]", *, dry: bool) -> list[str]:
    would = "would be " if dry else ""
    return [
        f"partition {each.partition}: " + ", ".join(
            [f"{would}closed"] * each.closed + [f"{would}sealed"] * each.sealed
            + [f"{each.pruned} payloads {'would go' if dry else 'went'}"] * (each.pruned > 0)
        )
        for each in done
    ]  # fmt: skip
