"""`minos bench peers`: this authority beside others on one core, one PostgreSQL and one load driver, in turns."""

import argparse
import asyncio
import sys
from collections.abc import Mapping

from bench import report
from bench.peers import page
from bench.peers.cores import TooFewCores, two_cores
from bench.peers.installing import CannotInstall, is_missing
from bench.peers.kinds import Chosen, UnknownName, chosen
from bench.peers.measuring import FULL, QUICK
from bench.peers.rounds import Run, measured


class NotPublished(Exception):
    """What was asked for would leave something out of the page. The message is for whoever called."""


def run(args: argparse.Namespace) -> int:
    """Give 0 when every round was measured, whatever came out; 1 when one failed; 2 when nothing can be measured as asked."""
    try:
        two_cores()
        wanted, missing = _wanted(args.only, publish=args.publish)
        asked = Run(chosen=wanted, amount=QUICK if args.quick else FULL, installed=args.out.resolve() / "peers")
        where = report.circumstances(quick=args.quick)
        results, versions = asyncio.run(measured(asked, _tell))
    except (UnknownName, NotPublished, TooFewCores, CannotInstall) as refused:
        print(f"minos: {refused}", file=sys.stderr)
        return 2
    written = page.Written(results=results, where=where, versions=versions, amount=asked.amount, left_out=missing)
    page.write(args.out, written)
    print((args.out / "peers.json").read_text() if args.json else page.summary(written))
    if args.publish and not results.failures:
        report.publish(args.out, "peers")
    return 1 if results.failures else 0


def _wanted(only: str | None, *, publish: bool) -> tuple[Chosen, Mapping[str, str]]:
    """Give what is measured, and what is not for want of a program. Raises UnknownName, NotPublished."""
    wanted = chosen(only)
    missing = {kind.name: kind.needs for kind in wanted.kinds if kind.needs is not None and is_missing(kind.needs)}
    because = "; ".join(f"{name} needs {program}, which is not installed" for name, program in missing.items())
    if publish and (missing or not wanted.is_all):
        raise NotPublished(f"only a whole run is published: {because or 'leave --only out'}")
    if missing:
        print(f"minos: left out: {because}", file=sys.stderr)
    return Chosen(targets=[name for name in wanted.targets if name not in missing], operations=wanted.operations), missing


def _tell(what: str) -> None:
    print(f"  {what} ...", file=sys.stderr, flush=True)
