"""`minos audit checkpoint`: what is signed of the log, to keep where nobody of us gets at it."""

import argparse
import sys

from cli.command import COULD_NOT, DONE, Commands, at_least


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "checkpoint",
        help="print the newest checkpoint of the log",
        description=(
            "Print the newest checkpoint as it is signed (C2SP tlog-checkpoint): origin, size and root hash of the tree of all events. "
            "Whoever keeps one can find out later whether anything before it was changed, moved or removed: "
            "`minos audit verify --since FILE`."
        ),
        epilog="example: minos audit checkpoint > today.checkpoint",
    )
    parser.add_argument("--epoch", type=at_least(1), help="of this epoch of the log; the latest, where none is given")
    parser.add_argument("--second-place", action="store_true", help="the one in the second place, not the one in the database")


async def act(args: argparse.Namespace) -> int:
    from adapters import published
    from adapters.postgres_links import Links
    from adapters.second_place import PlaceAway, open_second_place
    from adapters.tree_store import TreeStore
    from cli import startup
    from cli.authority import database_url

    settings = startup.settings()
    note: str | None = None
    if args.second_place:
        place = open_second_place(settings)
        try:
            kept = await (published.newest(place) if args.epoch is None else published.of_epoch(place, args.epoch))
            note = None if kept is None else kept.note
        except PlaceAway as away:
            print(f"minos: {away}", file=sys.stderr)
            return COULD_NOT
        finally:
            await place.close()
    else:
        links = Links(database_url(settings).reveal(), size=1)
        try:
            stored = await TreeStore(links).newest(args.epoch)
            note = None if stored is None else stored.note
        finally:
            await links.close()
    if note is None:
        why = "does the integrator run?" if args.epoch is None else f"is there an epoch {args.epoch}? `minos log status` says which is now"
        print(f"minos: no checkpoint was published: {why}", file=sys.stderr)
        return COULD_NOT
    print(note, end="")
    return DONE
