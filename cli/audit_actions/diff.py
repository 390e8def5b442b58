"""`minos audit diff`: what is otherwise at one moment than at an earlier one."""

import argparse
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.audit_actions.past import TIME, add_pages, covered, held_back, positions, print_pages, read_time
from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from cli.authority import Authority
    from projections.past.diff import Change, Difference, Terms


class ShownChange(Struct, frozen=True, kw_only=True):
    """A change for people."""

    turned: str
    who: str
    what: str
    by_positions: str


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "diff",
        help="say who gained or lost what between two moments",
        description=(
            "Compare two moments as the log has them: roles, what roles give and demand, suspensions, what service accounts and API keys "
            "may. What changed and changed back is not told. Each row has the positions of the events that made it so. The question itself "
            "is written to the log."
        ),
        epilog="example: minos audit diff 2026-11-01T00:00:00Z now --all",
    )
    parser.add_argument("first", metavar="T1", help=TIME)
    parser.add_argument("last", metavar="T2", help="the same, and not before T1")
    add_pages(parser)


async def act(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import authority

    async with authority(startup.settings()) as opened:
        return await _compare(opened, args)


async def _compare(authority: "Authority", args: argparse.Namespace) -> int:
    from commands.audit_asked import record_asked
    from domain.audit import Matter, Question
    from projections.past.diff import diff
    from projections.past.moments import moment

    first = await moment(authority.models, read_time(args.first))
    last = await moment(authority.models, read_time(args.last))
    if first.position > last.position:
        raise NotAccepted(f"not accepted: {args.first!r} is later than {args.last!r}")
    await record_asked(Question.DIFF, authority.context(), authority.ports, Matter(first=first.position, last=last.position))

    async def page(after: int | None) -> int | None:
        found = await diff(authority.models, first, last, after=after, limit=args.limit)
        _print(found, first=after is None, as_json=args.json)
        return found.next_after

    await print_pages(page, args)
    return DONE


def _print(found: "Difference", *, first: bool, as_json: bool) -> None:
    import msgspec

    from cli.printing import print_rows

    if as_json:
        print(msgspec.json.encode({"first": found.first, "last": found.last, "rows": found.rows}).decode())
        return
    if first:
        then, now = found.first, found.last
        print(f"from position {then.position} to {now.position} of epoch {now.epoch}, {covered(now)}; rule {now.rule}")
        for line in held_back(now):
            print(line)
    if found.rows or (first and found.next_after is None):
        print_rows([_shown(row) for row in found.rows], as_json=False, empty="nothing changed")


def _shown(change: "Change") -> ShownChange:
    terms = " -> ".join(text for text in (_terms(change.before), _terms(change.after)) if text)
    return ShownChange(
        turned=change.turned,
        who=f"{change.subject}:{change.id}" if change.id else change.subject,
        what=" ".join(filter(None, (change.what, change.name, terms, "(erased since)" if change.erased else ""))),
        by_positions=positions(change.cites),
    )


def _terms(terms: "Terms | None") -> str:
    if terms is None:
        return ""
    if terms.until is not None:
        return f"until {terms.until:%Y-%m-%d %H:%M:%SZ}"
    return "" if terms.requirement is None else str(terms.requirement)
