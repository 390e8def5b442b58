"""`minos bench growth`: fills authorities of several sizes, and measures how much slower and larger more people make one."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from adapters.scratch import scratch
from bench import report
from bench.growth import page
from bench.growth.figures import figures
from bench.growth.filling import Filled, fill
from bench.growth.measuring import FULL, QUICK, Measured, Scale, measure
from bench.limits_cost import RAISED
from bench.running import Running

SETTINGS = {"access_token_ttl": "3600", "log_level": "warning", "limits_file": str(RAISED)}
KEPT = "filled.json"
"""What filling took, beside what it made: a folder that has it is not filled again."""


class CannotFill(Exception):
    """The message says which folder cannot be filled, and why."""


def run(args: argparse.Namespace) -> int:
    """Give 0, also when a figure misses its goal; 2 for what cannot be filled."""
    if args.fill_only:
        return _fill_only(args.data, args.users)
    scale = QUICK if args.quick else FULL
    where = report.circumstances(quick=args.quick)
    with ExitStack() as closing:
        folder = args.data or closing.enter_context(scratch("minos-growth-"))
        try:
            sizes = asyncio.run(_measured(folder, scale))
        except CannotFill as error:
            return _refused(error)
    page.write(args.out, sizes, scale, where)
    print((args.out / "growth.json").read_text() if args.json else report.table(figures(sizes)))
    if args.publish:
        report.publish(args.out, "growth")
    return 0


async def _measured(folder: Path, scale: Scale) -> Sequence[Measured]:
    filled = [await _filled(folder / f"{users}", users) for users in scale.sizes]
    return await measure(filled, scale, _tell)


async def _filled(folder: Path, users: int) -> tuple[Filled, Running]:
    """Fill a folder, unless it is filled already. Raises CannotFill."""
    running, kept = Running(folder, **SETTINGS), folder / KEPT
    if kept.exists():
        filled = msgspec.json.decode(kept.read_bytes(), type=Filled)
        if filled.users != users:
            raise CannotFill(f"{folder} has {filled.users:,} users already, not {users:,}: name another")
        _tell(f"{folder} has {users:,} users already")
        return filled, running
    if folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None):
        raise CannotFill(f"{folder} is no empty folder, nor one that was filled to its end: name another, or take away what is there")
    filled = await fill(running, users, _tell)
    kept.write_bytes(msgspec.json.encode(filled))
    return filled, running


def _fill_only(folder: Path | None, users: int) -> int:
    if folder is None:
        print("minos: say with --data which folder is to be filled", file=sys.stderr)
        return 2
    try:
        asyncio.run(_filled(folder, users))
    except CannotFill as error:
        return _refused(error)
    print(f"filled; run it with: MINOS_DATA_DIR={folder / 'data'} minos up")
    return 0


def _refused(error: CannotFill) -> int:
    print(f"minos: {error}", file=sys.stderr)
    return 2


def _tell(what: str) -> None:
    print(f"  {what} ...", file=sys.stderr, flush=True)
