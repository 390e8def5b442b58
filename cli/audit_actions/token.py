"""`minos audit token`: what a token could do when it was issued."""

import argparse
from typing import TYPE_CHECKING

from cli.audit_actions.past import positions
from cli.command import DONE, Commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.past.token_then import TokenThen


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "token",
        help="say what a token could do when it was issued",
        description=(
            "By the `jti` of an access token: whose it was, what their roles gave then, or what is in a service token, and the event that "
            "ended it since. The question itself is written to the log."
        ),
        epilog="example: minos audit token 01a21699-2311-7358-a3e8-a9ef5bfdea97",
    )
    parser.add_argument("jti", metavar="JTI", help="the claim of that name, and never the token")
    parser.add_argument("--json", action="store_true", help="print JSON, with the events' ids")


async def act(args: argparse.Namespace) -> int:
    import msgspec

    from cli import startup
    from cli.authority import authority
    from commands.audit_asked import record_asked
    from domain.audit import Question
    from projections.past.token_then import token_then

    async with authority(startup.settings()) as opened:
        await record_asked(Question.TOKEN, opened.context(), opened.ports)
        found = await token_then(opened.models, args.jti)
    print(msgspec.json.encode(found).decode() if args.json else "\n".join(_lines(found)))
    return DONE


def _lines(found: "TokenThen") -> "Iterator[str]":
    yield f"issued by position {positions(found.cites)}, for {found.audience or 'an audience not told'}"
    yield f"of user {found.user_id}, session {found.session_id}" if found.user_id else f"of service account {found.client_id}"
    if found.permissions is not None:
        yield f"gave {', '.join(found.permissions) or 'nothing'}"
    for right in found.rights:
        yield f"role {right.id} gave {', '.join(right.permissions) or 'nothing'}, by positions {positions(right.cites)}"
    if found.expires_at is not None:
        yield f"until {found.expires_at:%Y-%m-%d %H:%M:%SZ}"
    yield f"ended by position {found.revoked.position}" if found.revoked else "not ended before its time"
