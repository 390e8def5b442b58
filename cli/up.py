"""`minos up`: the whole authority on one machine, from one command."""

import argparse
import asyncio
import time

from cli import startup
from cli.command import DONE, Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "up",
        help="run everything: database, broker, API, workers",
        description=(
            "Start PostgreSQL and NATS (unless MINOS_DATABASE_URL and MINOS_NATS_URL name yours), migrate, and run the API and all "
            "workers until Ctrl-C. Everything is kept in MINOS_DATA_DIR (.minos)."
        ),
        epilog="example: minos up",
    )
    parser.add_argument("--exit-when-ready", action="store_true", help="stop again as soon as everything runs")
    return parser


def run(args: argparse.Namespace) -> int:
    began = time.monotonic()
    settings = startup.settings()
    if not settings.data_dir.exists():
        startup.refuse_taken_ports(settings)  # a start that is refused leaves no folder behind
    startup.hold_data_folder(settings.data_dir)
    startup.refuse_taken_ports(settings)
    from adapters.metrics_server import prepare_folder

    prepare_folder(settings.data_dir / "metrics")
    from cli.whole import Whole

    asyncio.run(Whole(settings, began=began).run(leave_when_ready=args.exit_when_ready))
    return DONE
