"""`minos audit export`: the log as files that an auditor takes away."""

import argparse
from pathlib import Path

from cli.command import DONE, Commands
from cli.database import database_copy


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "export",
        help="write the log as files that can be checked without this server",
        description=(
            "Write the log up to its newest checkpoint into a folder: entries, tiles, checkpoints, key and manifest, in the layout of C2SP "
            "tlog-tiles. Sealed fields stay sealed. What is written is read back and checked. That it was asked for is an event of the log "
            "itself, unless it is of a copy."
        ),
        epilog="example: minos audit export /media/audit/2026-11 && python -m minos_sdk.audit verify /media/audit/2026-11",
    )
    parser.add_argument("folder", type=Path, help="where to; it must be empty or new")
    parser.add_argument("--resume", action="store_true", help="go on with what was begun in that folder")
    parser.add_argument("--database", metavar="URL", type=database_copy, help="a copy of the database; by default the one that serves")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def act(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import database_url
    from cli.printing import print_json
    from cli.progress import Bar
    from workers.audit.export import export

    settings = startup.settings()
    url = args.database
    if url is None:
        url = database_url(settings).reveal()
        await _written_down()
    with Bar(quiet=args.json) as bar:
        done = await export(url, args.folder, resume=args.resume, progress=bar.advance)
    if args.json:
        print_json(done)
    else:
        counted = f"{done.size:,} entries, {done.pruned:,} of them as hashes alone, {done.checkpoints:,} checkpoints"
        print(f"{done.folder}: {counted} of {done.origin}, read back and whole ({done.seconds:.1f} s, {done.per_second:,.0f} entries/s)")
    return DONE


async def _written_down() -> None:
    """Leave a trace in the log before anything is read. Raises StoreUnavailable, CannotStart."""
    from cli import startup
    from cli.authority import authority
    from commands.audit_asked import record_asked
    from domain.audit import Matter, Question

    async with authority(startup.settings()) as opened:
        await record_asked(Question.EXPORT, opened.context(), opened.ports, Matter(first=1))
