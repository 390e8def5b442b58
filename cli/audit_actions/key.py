"""`minos audit key`: what checkpoints of the log are verified with."""

import argparse
import sys

from cli.command import COULD_NOT, DONE, Commands, at_least


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "key",
        help="print the public key of the log",
        description=(
            "Print the key that checkpoints are verified with, in one line as C2SP signed-note writes it: name, id, key. It is the same "
            "for good; each epoch of the log has it under a name of its own."
        ),
        epilog="example: minos audit key > minos.key",
    )
    parser.add_argument("--epoch", type=at_least(1), help="under the name of this epoch; of the present one, where none is given")


async def act(args: argparse.Namespace) -> int:
    from adapters.checkpoint_key import read_log_name
    from adapters.log_reader import SQL
    from adapters.postgres_links import Links
    from cli import startup
    from cli.authority import database_url

    links = Links(database_url(startup.settings()).reveal(), size=1)
    try:
        name = await read_log_name(links)
        ((_, epoch),) = await links.read(SQL["log_size"])
    finally:
        await links.close()
    if name is None:
        print("minos: the log has no key yet: an integrator makes it when it first runs", file=sys.stderr)
        return COULD_NOT
    if (args.epoch or epoch) > epoch:
        print(f"minos: there is no epoch {args.epoch}: the log is in epoch {epoch}", file=sys.stderr)
        return COULD_NOT
    print(name.verifier(args.epoch or epoch).line())
    return DONE
