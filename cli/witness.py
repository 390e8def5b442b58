"""`minos witness`: cosigns what other logs publish, for as long as each continues what it said before."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from api.witness import WitnessApp

CONNECTIONS = 512
GRACE_SECONDS = 5


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "witness",
        help="cosign the checkpoints of other logs",
        description=(
            "Be a witness (C2SP tlog-witness) of the logs that FOLDER/logs names: cosign what continues what was seen before, and refuse a "
            "second history. Needs no database and no settings."
        ),
        epilog="example: minos witness init /var/lib/witness --name witness.example.org",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    init = actions.add_parser("init", help="begin a witness: a new key, and nothing seen yet")
    init.add_argument("--name", required=True, help="what its signatures call it: a URL without the scheme")
    key = actions.add_parser("key", help="print its public key, for policies of others")
    serve = actions.add_parser("serve", help="answer at /add-checkpoint, best behind a proxy that speaks TLS")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8010)
    for action in (init, key, serve):
        action.add_argument("folder", type=Path, metavar="FOLDER", help="where its key, its logs and its memory are")
    return parser


def run(args: argparse.Namespace) -> int:
    if args.action == "serve":
        return _serve(args.folder, args.host, args.port)
    from adapters.witness.folder import Home
    from domain.tree.note import check_name

    home = Home(folder=args.folder)
    if args.action == "init" and not check_name(args.name):
        raise NotAccepted("a name has neither spaces nor a plus")
    made = home.make(args.name) if args.action == "init" else home.key()
    print(made.public.line())
    return DONE


def _serve(folder: Path, host: str, port: int) -> int:
    from adapters import logging
    from adapters.witness.folder import Home
    from cli.http_server import Served, serve
    from cli.startup import refuse_taken_port

    logging.configure(level="info", style="auto")
    home = Home(folder=folder)
    key = home.key()
    home.logs()
    home.memory(key).close()  # whatever is amiss is said here, before anybody listens
    refuse_taken_port(host, port, "--port")
    served = Served(host=host, port=port, workers=1, grace_s=GRACE_SECONDS, connections=CONNECTIONS, port_name="--port")
    serve(served, partial(_load, folder))
    return DONE


def _load(folder: Path) -> "WitnessApp":
    from adapters.orphaned import die_with_parent
    from adapters.witness.folder import Home
    from adapters.witness.witness import Witness
    from api.witness import WitnessApp

    die_with_parent()
    home = Home(folder=folder)
    key, logs = home.key(), home.logs()
    return WitnessApp(lambda: Witness(key, logs, home.memory(key)))
