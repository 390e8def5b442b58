"""`minos up`: the whole authority on one machine, from one command."""

import argparse
import asyncio
import socket
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
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    from adapters.children import hold_folder
    from adapters.metrics_server import prepare_folder

    hold_folder(settings.data_dir)  # until we end
    _refuse_taken_port(settings.host, settings.port, "MINOS_PORT")
    if settings.metrics_port:
        _refuse_taken_port(settings.metrics_host, settings.metrics_port, "MINOS_METRICS_PORT")
    prepare_folder(settings.data_dir / "metrics")
    from cli.whole import Whole

    asyncio.run(Whole(settings, began=began).run(leave_when_ready=args.exit_when_ready))
    return DONE


def _refuse_taken_port(host: str, port: int, name: str) -> None:
    """Say now, in words, what would fail later. Without SO_REUSEPORT, or two authorities could share one port unnoticed."""
    from adapters.children import CannotStart

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(f"{host}:{port} cannot be used ({error.strerror}): another program is there? Choose another {name}") from None
