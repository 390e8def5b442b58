"""`minos projections`: where the read models stand; rebuild them, switch, go back, unpark."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from cli.command import COULD_NOT, DONE, NO, Commands, at_least
from cli.database import connect

if TYPE_CHECKING:
    import asyncpg


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "projections",
        help="show, rebuild, switch and unpark read models",
        description="Read models are made from the log and can be made again while they serve. NAME is one, such as `users`.",
        epilog="example: minos projections rebuild sessions",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser(
        "status",
        help="where each stands; exit 1 when one is halted or holds a stream back",
        description="Where each stands. `signals` is no read model but what services are told, and mends itself: it is not rebuilt here.",
    )
    rebuild = actions.add_parser("rebuild", help="build anew beside the one that serves, compare, and switch")
    rebuild.add_argument("name")
    rebuild.add_argument("--no-switch", action="store_true", help="let the new one wait for `switch`")
    switch = actions.add_parser("switch", help="let a generation serve")
    switch.add_argument("name")
    switch.add_argument("generation", type=at_least(1, at_most=2**31 - 1))
    actions.add_parser("back", help="return to the generation that served before").add_argument("name")
    unpark = actions.add_parser("unpark", help="give a stream that was held back to its read model again")
    unpark.add_argument("name")
    unpark.add_argument("stream")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import database_url

    return asyncio.run(_act(args, database_url(startup.settings()).reveal()))


async def _act(args: argparse.Namespace, url: str) -> int:
    if args.action == "rebuild":
        return await _rebuild(args, url)
    connection = await connect(url)
    try:
        match args.action:
            case "status":
                return await _status(connection, as_json=args.json)
            case "switch" | "back":
                return await _serve(connection, args)
            case _:
                return await _unpark(connection, args)
    finally:
        await connection.close(timeout=5)


async def _status(connection: "asyncpg.Connection[asyncpg.Record]", *, as_json: bool) -> int:
    from cli.printing import print_json, print_rows
    from workers.standing import parked_streams, standings

    rows, parked = await standings(connection), await parked_streams(connection)
    if as_json:
        print_json({"projections": rows, "parked": parked})
    else:
        print_rows(rows, as_json=False, empty="no read models yet: no projector has run")
        if parked:
            print("\nheld back:")
            print_rows(parked, as_json=False)
    return NO if parked or any(row.reason for row in rows) else DONE


async def _rebuild(args: argparse.Namespace, url: str) -> int:
    from cli.printing import print_json
    from cli.progress import Bar
    from workers.rebuild import RebuildDiffers, rebuild

    try:
        with Bar(quiet=args.json) as bar:
            built = await rebuild(url, args.name, progress=bar.advance, switch=not args.no_switch)
    except RebuildDiffers as differs:
        print(f"minos: {differs}: {', '.join(differs.streams)}", file=sys.stderr)
        return NO
    if args.json:
        print_json(built)
    else:
        rate = built.events / built.seconds if built.seconds else 0.0
        state = "serves now" if built.switched else "waits for `minos projections switch`"
        print(f"{built.name} generation {built.generation}: {built.events} events in {built.seconds:.1f} s ({rate:,.0f}/s), ", end="")
        print(f"{built.checked} rows compared with fresh folds; it {state}")
    return DONE


async def _serve(connection: "asyncpg.Connection[asyncpg.Record]", args: argparse.Namespace) -> int:
    from cli.printing import print_json
    from projections import generations
    from workers.rebuild import named

    projection = named(args.name)
    if args.action == "back":
        number = await generations.switch_back(connection, projection)
    else:
        number = args.generation if await generations.switch(connection, projection, args.generation) else None
    if number is None:
        print("minos: there is no such generation that could serve; see `minos projections status`", file=sys.stderr)
        return COULD_NOT
    if args.json:
        print_json({"name": args.name, "serving": number})
    else:
        print(f"{args.name} generation {number} serves now")
    return DONE


async def _unpark(connection: "asyncpg.Connection[asyncpg.Record]", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from domain.ids import StreamName
    from workers.parking import unpark
    from workers.rebuild import named

    done = await unpark(connection, named(args.name), StreamName(args.stream))
    print_rows(done, as_json=args.json, empty="this stream is not held back")
    return NO if any(row.reason for row in done) else DONE
