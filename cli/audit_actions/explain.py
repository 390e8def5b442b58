"""`minos audit explain`: why somebody could sign in at a moment, or could not."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from cli.audit_actions.replay import moment
from cli.command import DONE, Commands, at_least

if TYPE_CHECKING:
    from api.explaining import Explanation
    from domain.sign_in_rule import Value


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "explain",
        help="say why a sign-in was refused or allowed",
        description=(
            "Say what the rule of sign-ins says of a right password at a moment, what it looks at, with the position of the event that "
            "made it so, and what happened around it. Refused sign-ins are kept outside the log for a while: nobody can prove them. "
            "USER is an id, an e-mail address or a username. The question is written to the log."
        ),
        epilog="example: minos audit explain ada@example.org --at 2026-11-26T09:30:00Z",
    )
    parser.add_argument("user", metavar="USER")
    parser.add_argument("--at", type=moment, metavar="TIME", help="RFC 3339; now where none is given")
    parser.add_argument("--audience", default="minos", help="what the sign-in was to be for (%(default)s)")
    parser.add_argument("--within", type=at_least(1, 86_400), default=900, metavar="SECONDS", help="before and after (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def act(args: argparse.Namespace) -> int:
    from adapters.postgres_links import Links
    from api.explaining import Asked, explain
    from cli import startup
    from cli.authority import authority
    from cli.printing import print_json
    from cli.user_actions import found
    from domain.ids import AudienceName

    async with authority(startup.settings()) as opened:
        user_id = await found(opened, args.user)
        asked = Asked(user_id=user_id, audience=AudienceName(args.audience), at=args.at, within=args.within)
        links = Links(opened.url.reveal(), size=1)
        try:
            explanation = await explain(asked, opened.context(), opened.ports, opened.models, links)
        finally:
            await links.close()
    if args.json:
        print_json(explanation)
    else:
        _print(explanation)
    return DONE


def _print(explanation: "Explanation") -> None:
    from cli.printing import print_rows

    print(f"{explanation.verdict} at position {explanation.position}, {_shown(explanation.at)}, by rule {explanation.rule_version}")
    for each in explanation.inputs:
        since = f"since position {each.since.position}" if each.since else "" if each.provable else "as set now, not provable"
        print(f"  {each.name:<28} {_value(each.value):<32} {since}".rstrip())
    print("\nsign-ins:")
    print_rows(explanation.sign_ins, as_json=False, empty="none around that moment")
    print("\nwhat happened:")
    print_rows(explanation.events, as_json=False, empty="nothing around that moment")


def _value(value: "Value") -> str:
    match value:
        case None:
            return "-"
        case tuple():
            return ",".join(map(str, value)) or "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
