"""`minos audit at`: what was so at a moment of the past."""

import argparse
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.audit_actions.past import TIME, add_pages, covered, held_back, positions, print_pages, read_time
from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.authority import Authority
    from domain.factor_policy import Requirement
    from projections.past.answer import Answer
    from projections.past.questions import Asked, Row
    from projections.past.walks import Place
    from projections.periods import Mark

WORDS = {"who-can": "who_can", "what-can": "what_can", "who-has": "who_has", "sessions-of": "sessions_of"}
_ABOUT = {
    "who-can": "a permission",
    "what-can": "a user, client:<id> or api_key:<id>",
    "who-has": "a role",
    "sessions-of": "a user",
}


class ShownRow(Struct, frozen=True, kw_only=True):
    """A row for people: who or what, what it says of them, and the positions of the events it follows from."""

    what: str
    id: str
    says: str
    by_positions: str


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "at",
        help="say who could do what at a moment of the past",
        description=(
            "Answer a question about a moment as the log has it, each row with the positions of the events it follows from: who-can "
            "PERMISSION, what-can USER, who-has ROLE, sessions-of USER. USER is an id, an e-mail address or a username; for what-can also "
            "client:<id> or api_key:<id>. The question itself is written to the log."
        ),
        epilog="example: minos audit at 2026-11-01T00:00:00Z who-can minos.users.read",
    )
    parser.add_argument("time", metavar="TIME", help=TIME)
    parser.add_argument("question", choices=tuple(WORDS))
    parser.add_argument("about", metavar="ABOUT", help="; ".join(f"{word}: {what}" for word, what in _ABOUT.items()))
    add_pages(parser)


async def act(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import authority

    async with authority(startup.settings()) as opened:
        return await _ask(opened, args)


async def _ask(authority: "Authority", args: argparse.Namespace) -> int:
    from msgspec.structs import replace

    from commands.audit_asked import record_asked
    from projections.past import questions
    from projections.past.moments import moment

    asked = await _read(authority, args.question, args.about)
    then = await moment(authority.models, read_time(args.time))
    await record_asked(asked.question, authority.context(), authority.ports, replace(asked.matter, last=then.position))

    async def page(after: "Place | None") -> "Place | None":
        found = await questions.answer(authority.models, asked, then, after=after, limit=args.limit)
        _print(found, first=after is None, as_json=args.json)
        return found.next_after

    await print_pages(page, args)
    return DONE


async def _read(authority: "Authority", word: str, about: str) -> "Asked":
    """Raises NotAccepted, NoSuchUser."""
    from cli.user_actions import found
    from domain.audit import Question
    from projections.past import questions

    of_user = word == "sessions-of" or (word == "what-can" and not about.startswith(("user:", "client:", "api_key:")))
    try:
        return questions.read(Question(WORDS[word]), str(await found(authority, about)) if of_user else about)
    except ValueError:
        raise NotAccepted(f"not accepted: {about!r}; {word} asks about {_ABOUT[word]}") from None


def _print(found: "Answer[Row]", *, first: bool, as_json: bool) -> None:
    import msgspec

    from cli.printing import print_rows

    if as_json:
        print(
            msgspec.json.encode(
                {"then": found.then, "standing": found.standing, "cites": found.cites, "erased": found.erased, "rows": found.rows}
            ).decode()
        )
        return
    if first:
        print(_headline(found))
    if found.rows or first:
        print_rows([_shown(row) for row in found.rows], as_json=False, empty="nobody and nothing")


def _headline(found: "Answer[Row]") -> str:
    then = found.then
    lines = [f"position {then.position} of epoch {then.epoch}, {then.at:%Y-%m-%d %H:%M:%SZ}, {covered(then)}; rule {then.rule}"]
    if found.standing is not None:
        lines.append(f"{found.standing}{_by(found.cites)}{_since(erased=found.erased)}")
    return "\n".join([*lines, *held_back(then)])


def _since(*, erased: bool) -> str:
    return "; erased since, nothing but the id is left" if erased else ""


def _by(cites: "Sequence[Mark]") -> str:
    return f", by position {positions(cites)}" if cites else ""


def _shown(row: "Row") -> ShownRow:
    from projections.past.sessions_then import SessionThen
    from projections.past.what_can import Right
    from projections.past.who_can import Holder

    by = positions(row.cites)
    match row:
        case Holder():
            where = f"as {row.role}" if row.role is not None else f"at {', '.join(row.audiences)}"
            return ShownRow(
                what=row.kind, id=row.id, says=f"{where}{_factor(row.needs_factor)}{_since(erased=row.erased)}", by_positions=by
            )
        case Right():
            where = "" if row.audience is None else f" at {row.audience}"
            says = f"{', '.join(row.permissions)}{where}{_factor(row.needs_factor)}"
            return ShownRow(what=row.by, id=row.id, says=says, by_positions=by)
        case SessionThen():
            says = f"{', '.join(row.audiences)} by {', '.join(row.amr)}, until {row.idle_expires_at:%Y-%m-%d %H:%M:%SZ}"
            return ShownRow(what="session", id=str(row.session_id), says=says, by_positions=by)
        case _:
            return ShownRow(what="user", id=str(row.user_id), says=f"{row.standing}{_since(erased=row.erased)}", by_positions=by)


def _factor(needed: "Requirement") -> str:
    return "" if needed == "none" else f", once a factor was shown ({needed})"
