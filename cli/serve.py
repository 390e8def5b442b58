"""`minos serve`: the API alone, one process per core, any number of them on any number of machines."""

import argparse
import gc
import resource
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from adapters.farewell import Farewell
from adapters.metrics_folder import own_metrics_folder
from cli import startup
from cli.command import COULD_NOT, DONE, Commands

if TYPE_CHECKING:
    from adapters.reloading import InForce
    from adapters.settings import Settings

CONNECTIONS = 8_192


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "serve",
        help="run the API alone",
        description="Run the API on MINOS_HOST and MINOS_PORT, with MINOS_WORKERS processes, on the servers the settings name.",
        epilog="example: MINOS_DATABASE_URL=postgresql://... MINOS_NATS_URL=nats://... minos serve",
    )
    startup.add_parent_option(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    metrics_folder = own_metrics_folder()
    from cli.metrics_told import MetricsTold

    import_module("api.app")  # before the workers fork: they share it, and a respawned one is up at once

    if not startup.await_parent(args.settings_fd):
        return COULD_NOT
    settings = startup.settings()
    startup.require(settings, "DATABASE_URL")
    startup.refuse_taken_metrics_port(settings)
    metrics = MetricsTold(settings, metrics_folder) if args.settings_fd is None else None  # else it is the parent's to tell
    _serve(settings)
    if metrics is not None:
        metrics.stop()
    return DONE


def _serve(settings: "Settings") -> None:
    from adapters.reloading import InForce
    from cli.http_server import Served, serve

    served = Served(
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        grace_s=settings.shutdown_grace,
        connections=_connections(),
        port_name="MINOS_PORT",
    )
    farewell, in_force = Farewell(), InForce(settings)

    def started() -> None:
        """When it has put up handlers of its own, SIGHUP's among them: that one starts a worker, and ends the one it is for."""
        farewell.on_signals(drain_s=settings.shutdown_drain)
        in_force.guard_signal()

    serve(served, partial(_load, farewell, in_force), started=started)


def _connections() -> int:
    """How many connections a worker holds at a time: idle ones must be many before they are all there are. Half of the files this
    process may have open, once it may have as many as the system lets it, and never more than CONNECTIONS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        wanted = max(soft, 2 * CONNECTIONS) if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, soft // 2))


def _load(farewell: Farewell, in_force: "InForce") -> Callable[..., Any]:
    """Make the application in a worker, by the settings in force when it begins. A worker whose parent dies goes too, or its port would
    stay taken by old code."""
    from adapters.orphaned import die_with_parent
    from adapters.stalled_peers import end_stalled
    from api.app import create

    die_with_parent()
    end_stalled(in_force.settings.port)
    application = create(startup.going_by(in_force.settings), farewell=farewell.in_worker())
    gc.freeze()  # what was made until now stays for ever: nobody need look through it again
    return application
