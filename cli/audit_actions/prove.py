"""`minos audit prove`: a file about one event, for whoever has the log's key and trusts nobody."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from adapters.postgres_links import Links

THE_OUTPUT = "-"


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "prove",
        help="write a file that proves one event to a third party",
        description=(
            "Write a file (C2SP tlog-proof) with the event as it was hashed, the hashes that lead from it to the root of the log, and the "
            "signed checkpoint. Whoever has the log's key checks it without Minos: python -m minos_sdk.audit proof FILE --key KEY."
        ),
        epilog="example: minos audit prove 4711 -o proof.tlog-proof",
    )
    parser.add_argument("event", metavar="POSITION|EVENT_ID", help="by its id, all of the log may have to be read")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (POSITION.tlog-proof); - is the output")


async def act(args: argparse.Namespace) -> int:
    from adapters.checkpoint_key import read_log_name
    from adapters.postgres_links import Links
    from adapters.proof_files import proof_file
    from cli import startup
    from cli.authority import database_url

    links = Links(database_url(startup.settings()).reveal(), size=1)
    try:
        proof = await proof_file(links, await _position(links, args.event))
        name = await read_log_name(links)
    finally:
        await links.close()
    if args.output == THE_OUTPUT:
        sys.stdout.write(proof.text)
        return DONE
    file = Path(args.output or f"{proof.position}.tlog-proof")
    file.write_text(proof.text)
    print(f"{file}: position {proof.position}, in the checkpoint of {proof.size} entries")
    if not proof.has_entry:
        print("retention has taken the payload of this event: its hash is proved, and the entry has to come from elsewhere")
    if name is not None:
        print(f"the log's key, which its reader should have from elsewhere: {name.verifier(proof.epoch).line()}")
    return DONE


async def _position(links: "Links", text: str) -> int:
    from adapters.proof_files import position_of
    from domain.ids import EventId

    if text.isdecimal() and 1 <= int(text) < 2**53:
        return int(text)
    try:
        return await position_of(links, EventId(UUID(text)))
    except ValueError:
        raise NotAccepted(f"not accepted: {text!r}; name an event by its position or by its id") from None
