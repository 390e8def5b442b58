"""`minos bench soak`: faults under load, and whether anything was lost."""

import argparse
import asyncio
import logging
import random
import sys
from pathlib import Path

import msgspec

from adapters.scratch import scratch
from bench import report
from bench.limits_cost import RAISED
from bench.running import Running
from bench.soak.faults import FAULTS, QUICK
from bench.soak.ground import Ground, allow_ourselves_files
from bench.soak.listener import AUDIENCE
from bench.soak.outcome import Outcome
from bench.soak.page import page
from bench.soak.picture import draw
from bench.soak.small_disk import SmallDisk
from bench.soak.soak import Wanted, soak

FOR_CHECKS = 0.2
"""What part of the time is kept for looking at everything afterwards."""
CHOSEN = {
    "workers": "2", "argon2_memory_kib": "7168", "argon2_passes": "1", "audiences": AUDIENCE, "access_token_ttl": "3600",
    "erasure_wait": "20", "limits_file": str(RAISED), "log_level": "warning",
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Give 1 when anything acknowledged was lost, anything was skipped, or anything else was found that must not be."""
    seed = args.seed if args.seed is not None else random.randrange(1_000_000)
    _tell(f"seed {seed}; at most {args.minutes:g} minutes")
    faults = [fault for fault in FAULTS if not args.quick or fault.name in QUICK]
    wanted = Wanted(faults=faults, minutes=args.minutes * (1 - FOR_CHECKS), seed=seed, again=args.minutes > 12)
    where = report.circumstances(quick=args.quick)
    allow_ourselves_files()
    logging.getLogger("minos_sdk").setLevel(logging.CRITICAL)  # what it says of its connections is in the figures
    with scratch("minos-soak-") as folder:
        folder.chmod(0o711)
        disk = None if args.quick else SmallDisk(folder / "data" / "postgres", folder / "disk.img")
        try:
            outcome = asyncio.run(_soaked(folder, disk, wanted, where))
        finally:
            if disk is not None:
                disk.leave()
    written = _written(args.out, outcome)
    print((args.out / "soak.json").read_text() if args.json else written)
    if args.publish:
        report.publish(args.out, "soak")
    return 0 if outcome.is_whole else 1


async def _soaked(folder: Path, disk: SmallDisk | None, wanted: Wanted, where: report.Circumstances) -> Outcome:
    async with Running(folder, **CHOSEN) as running:
        return await soak(Ground(running, disk), wanted, where, _tell)


def _written(folder: Path, outcome: Outcome) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    text = page(outcome)
    (folder / "soak.md").write_text(text, encoding="utf-8")
    (folder / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")
    draw(folder / "soak.svg", outcome)
    return text


def _tell(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)
