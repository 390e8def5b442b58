"""`minos events`: the log itself, or what NATS has of it, in order."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Raw, Struct

from cli.command import DONE, NO, Commands, at_least

if TYPE_CHECKING:
    from adapters.log_reader import LogReader
    from adapters.settings import Settings

PAGE = 500
QUIET_SECONDS = 5.0
"""How long a message that has to be on NATS may take to arrive."""


class ShownEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What both sources know of an event. `data`: every field as stored, or those that leave the database."""

    position: int
    recorded_at: datetime
    type: str
    stream: str
    version: int
    actor: str
    data: dict[str, Raw]
    pruned: bool = False
    """Its data has gone, its time being over."""


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "events",
        help="show the log, or follow it",
        description=(
            "Show events in the order of their positions: from the database, personal fields sealed, or with --nats from the stream "
            "that subscribers read. Without --after, the last ones."
        ),
        epilog="example: minos events --nats --follow",
    )
    parser.add_argument("--after", type=at_least(0), metavar="POSITION", help="begin with the position after this one")
    parser.add_argument("--last", type=at_least(1), default=20, metavar="N", help="how many to begin with otherwise (%(default)s)")
    parser.add_argument("--nats", action="store_true", help="read the stream on NATS instead of the database")
    parser.add_argument("--follow", action="store_true", help="go on with new ones until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, with the event's data")
    return parser


def run(args: argparse.Namespace) -> int:
    import asyncio

    from cli import startup
    from cli.running import connected

    return asyncio.run(_show(connected(startup.settings()), args))


async def _show(settings: "Settings", args: argparse.Namespace) -> int:
    from adapters.children import CannotStart
    from adapters.log_reader import LogReader

    if settings.database_url is None or (args.nats and settings.nats_url is None):
        raise CannotStart(f"set MINOS_{'NATS' if args.nats else 'DATABASE'}_URL, or run `minos up` with its data in {settings.data_dir}")
    reader = LogReader(settings.database_url.reveal())
    try:
        size = (await reader.size()).size
        after = max(0, size - args.last) if args.after is None else args.after
        if args.nats:
            return await _from_nats(settings, after, size, follow=args.follow, as_json=args.json)
        return await _from_log(reader, after, follow=args.follow, as_json=args.json)
    finally:
        await reader.close()


async def _from_log(reader: "LogReader", after: int, *, follow: bool, as_json: bool) -> int:
    import asyncio

    import msgspec

    while True:
        page = await reader.read(after, PAGE)
        for event in page.events:
            data = {} if event.pruned else msgspec.json.decode(event.payload, type=dict[str, Raw])
            data.pop("type", None)  # it is told beside, as on NATS
            shown = ShownEvent(
                position=event.position or 0,
                recorded_at=event.recorded_at,
                type=event.type,
                stream=event.stream,
                version=event.version,
                actor=event.actor,
                data=data,
                pruned=event.pruned,
            )
            _print(shown, as_json=as_json)
        after = page.through
        if after < page.size:
            continue
        if not follow:
            return DONE
        await asyncio.sleep(0.1)


async def _from_nats(settings: "Settings", after: int, size: int, *, follow: bool, as_json: bool) -> int:
    """Exit code 1 when the stream does not have everything up to `size`."""
    import sys

    import msgspec
    import nats
    from nats.errors import TimeoutError as Quiet
    from nats.js.api import ConsumerConfig, DeliverPolicy

    from adapters.nats_credentials import proof
    from adapters.server_urls import each

    servers = list(each(settings.nats_url.reveal())) if settings.nats_url is not None else []
    known = proof(settings.nats_credentials)
    client = await nats.connect(servers, connect_timeout=5, allow_reconnect=follow, **known)  # pyright: ignore[reportUnknownMemberType] - as below
    try:
        starting = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1)
        stream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py leaves its options untyped
        messages = await stream.subscribe("minos.events.v1.>", ordered_consumer=True, config=starting)
        while follow or after < size:
            try:
                message = await messages.next_msg(timeout=QUIET_SECONDS)
            except Quiet:
                if follow:
                    continue
                print(f"minos: NATS ends at {after}, the log at {size}", file=sys.stderr)
                return NO
            shown = msgspec.json.decode(message.data, type=ShownEvent)
            after = shown.position
            _print(shown, as_json=as_json)
        return DONE
    finally:
        await client.close()


def _print(shown: ShownEvent, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        print(msgspec.json.encode(shown).decode(), flush=True)
    else:
        end = "  pruned" if shown.pruned else ""
        print(f"{shown.position:>8}  {shown.type:<32}  {shown.stream:<44}  {shown.actor}{end}", flush=True)
