"""`minos work`: the background jobs alone, all or some, any number of copies on any number of machines."""

import argparse
import asyncio

from adapters.giving_way import give_way
from adapters.metrics_folder import own_metrics_folder
from cli import startup
from cli.command import COULD_NOT, DONE, Commands

BESIDE_THE_API = 10
"""Niceness of workers that share a machine with the API: answers go first (docs/adr, 20)."""


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "work",
        help="run the background workers alone",
        description="Run the named workers, or all of them. Copies share or wait: every step is one short transaction.",
        epilog="example: minos work sequencer publisher",
    )
    parser.add_argument("names", nargs="*", metavar="WORKER", help="sequencer, publisher, projector, ... (all when none is named)")
    startup.add_parent_option(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    metrics_folder = own_metrics_folder()
    import uvloop

    from adapters.reloading import InForce
    from cli.metrics_told import MetricsTold
    from workers.__main__ import Ended
    from workers.__main__ import run as run_workers

    if not startup.await_parent(args.settings_fd):
        return COULD_NOT
    if args.settings_fd is not None:
        give_way(BESIDE_THE_API)
    settings = startup.settings()
    startup.require(settings, "DATABASE_URL", "NATS_URL")
    in_force = InForce(settings)
    startup.refuse_taken_metrics_port(settings)
    metrics = MetricsTold(settings, metrics_folder) if args.settings_fd is None else None  # else it is the parent's to tell
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        while runner.run(run_workers(args.names, in_force)) is Ended.RELOAD:
            startup.going_by(in_force.settings)
    if metrics is not None:
        metrics.stop()
    return DONE
