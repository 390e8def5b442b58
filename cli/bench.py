"""`minos bench`: measures this release on this machine."""

import argparse

from cli.command import Commands


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
    from bench.__main__ import run as measure

    return measure(args)
