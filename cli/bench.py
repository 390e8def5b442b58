"""`minos bench`: measures this release on this machine."""

import argparse
import sys
from importlib.util import find_spec

from cli.command import COULD_NOT, Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    from bench.arguments import arguments

    parser = commands.add_parser(
        "bench",
        help="measure everything on this machine",
        description="Measure appends, hops, rebuilds, HTTP, memory and start-up, on servers of its own, and write a table and a chart.",
        epilog="example: minos bench --quick",
    )
    return arguments(parser)


def run(args: argparse.Namespace) -> int:
    if find_spec("minos_sdk") is None:
        print("minos: bench also measures what the SDK costs: install minos-sdk beside minos", file=sys.stderr)
        return COULD_NOT
    from bench.__main__ import run as measure

    return measure(args)
