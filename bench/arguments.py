"""What can be asked of `minos bench`: apart from what measures, which is much to load for a page of help."""

import argparse
from pathlib import Path

from cli.command import at_least

PARTS = ("store", "rebuild", "audit", "past", "hops", "http", "limits", "revocations", "sdk", "passwords", "start")
RUNS = ("peers", "growth", "soak", "cluster")
"""What takes its own time and has a page of its own: each is `bench.<name>.run`, and named alone."""
HERE = Path(__file__).parent
LONGEST_MINUTES = 10_080
"""A week."""


def minutes(text: str) -> float:
    """Be the type of an argument that is a time in which something can be done."""
    value = float(text)
    if not 0 < value <= LONGEST_MINUTES:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {LONGEST_MINUTES:,}, not {text}")
    return value


def arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)} (all); or one of: {', '.join(RUNS)}")
    parser.add_argument("--quick", action="store_true", help="a little of everything, to see that it works")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where to write the figures (bench/out)")
    parser.add_argument("--publish", action="store_true", help="copy them into docs/reference too")
    parser.add_argument("--only", metavar="NAME,...", help="peers: these servers and operations alone, as minos,oidc-provider,refresh")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--data", type=Path, metavar="DIR", help="growth: keep what is filled here, or measure what was filled before")
    parser.add_argument("--fill-only", action="store_true", help="growth: fill --data with --users, to try things out, and measure nothing")
    parser.add_argument(
        "--users", type=at_least(1), default=10_000, metavar="N", help="growth: how many with --fill-only, ten events each (10,000)"
    )
    parser.add_argument(
        "--minutes", type=minutes, default=12.0, metavar="N", help="soak: how long it may take; more than 12 repeat faults by chance (12)"
    )
    parser.add_argument("--seed", type=int, help="soak: repeat the order of a run that printed it")
    return parser
