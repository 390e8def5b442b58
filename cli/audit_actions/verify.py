"""`minos audit verify`: the whole log against its tree, what was published of it, and all that is made from it."""

import argparse
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cli.command import DONE, NO, Commands, NotAccepted, at_least
from cli.database import database_copy

if TYPE_CHECKING:
    from adapters.checkpoint_key import LogName
    from adapters.second_place import SecondPlace
    from workers.audit.verify import Asked, Report

NICENESS = 10
"""Whoever is served on the same machine goes first."""


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "verify",
        help="check the whole log; exit 1 when anything is wrong",
        description=(
            "Check every event against the tree, the tree against every published checkpoint and the second place's, streams for gaps, "
            "heads, read models and names against fresh folds. It only reads. What is wrong is said by name and place. Events that are in "
            "no published checkpoint yet are checked for what they are, and proved by nothing."
        ),
        epilog="example: minos audit verify --kept yesterday.checkpoint --since yesterday.checkpoint",
    )
    parser.add_argument("--database", metavar="URL", type=database_copy, help="a copy of the database; by default the one that serves")
    parser.add_argument(
        "--key", metavar="LINE", action="append", default=[], help="the log's key as known from elsewhere: a line, or a file of it"
    )
    parser.add_argument("--kept", metavar="FILE", type=Path, action="append", default=[], help="a checkpoint kept from earlier")
    parser.add_argument("--since", metavar="FILE", type=Path, help="a checkpoint that was checked before: look at what came behind it")
    parser.add_argument("--no-read-models", action="store_true", help="check the log alone, without folding its streams anew")
    parser.add_argument("--processes", metavar="N", type=at_least(1, 64), help="how many fold the streams of a large log (one a core)")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def act(args: argparse.Namespace) -> int:
    from adapters.giving_way import give_way
    from cli.progress import Bar
    from workers.audit.verify import verify

    give_way(NICENESS)
    async with AsyncExitStack() as closing:
        asked = await _asked(args, closing)
        with Bar(quiet=args.json) as bar:
            report = await verify(asked, bar.advance)
    print_report(report, as_json=args.json)
    return NO if report.findings else DONE


async def _asked(args: argparse.Namespace, closing: AsyncExitStack) -> "Asked":
    from cli import startup
    from cli.authority import database_url
    from workers.audit.verify import Asked

    settings = startup.settings()
    place: SecondPlace | None = None
    if args.database is None:
        from adapters.second_place import open_second_place

        place = open_second_place(settings)
        closing.push_async_callback(place.close)
    kept = [_kept(path) for path in [*args.kept, *([] if args.since is None else [args.since])]]
    return Asked(
        url=args.database or database_url(settings).reveal(),
        names=[name for said in args.key for name in _names(said)],
        second_place=place,
        kept=[(name, epoch, note) for name, epoch, _, note in kept],
        since=0 if args.since is None else kept[-1][2],
        is_copy=args.database is not None,
        read_models=not args.no_read_models,
        processes=args.processes or len(os.sched_getaffinity(0)),
    )


def _kept(path: Path) -> tuple[str, int, int, str]:
    """Give a checkpoint's file, its epoch, its size and itself. Raises NotAccepted."""
    from domain.tree.checkpoint import BadCheckpoint, epoch_of, read_checkpoint
    from domain.tree.note import BadNote, read_note

    note = path.read_text(encoding="utf-8", errors="replace")
    try:
        said = read_checkpoint(read_note(note).text)
    except (BadNote, BadCheckpoint) as error:
        raise NotAccepted(f"{path} is no checkpoint: {error}") from None
    return str(path), epoch_of(said.origin)[1], said.size, note


def _names(said: str) -> "list[LogName]":
    """Read a key, or a file of keys. Raises NotAccepted."""
    from adapters.checkpoint_key import LogName
    from domain.tree.checkpoint import epoch_of
    from domain.tree.note import ED25519, BadNote, read_key

    lines = Path(said).read_text(encoding="utf-8").splitlines() if Path(said).is_file() else [said]
    try:
        keys = [read_key(line.strip()) for line in lines if line.strip()]
    except BadNote as error:
        raise NotAccepted(f"--key: {error}") from None
    if any(key.kind != ED25519 for key in keys):
        raise NotAccepted("--key: the key of a log is one of Ed25519")
    return [LogName(name=epoch_of(key.name)[0], public=key.public) for key in keys]


def print_report(report: "Report", *, as_json: bool) -> None:
    from cli.printing import print_json
    from workers.audit.findings import Findings

    if as_json:
        print_json(report)
        return
    counted = f"{report.size - report.since:,} events, {report.checkpoints:,} checkpoints, {report.streams:,} streams"
    print(f"checked {counted} in {report.seconds:.1f} s ({report.per_second:,.0f} events/s)")
    if report.hashes_only:
        print(f"{report.hashes_only:,} events are known by their hashes alone, as the log says")
    for finding in report.findings:
        print(f"WRONG  {finding.kind}: {finding.words}".encode("unicode_escape").decode())
    for kind, count in report.counts.items():
        if count > Findings.MOST:
            print(f"WRONG  {kind}: {count:,} in all")
    for remark in report.remarks:
        print(f"note   {remark}")
    if not report.findings:
        print(f"nothing is wrong up to position {report.size}; the root there is {report.root}")
