"""`minos audit replay`: the log again, oldest first, one JSON object a line."""

import argparse
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from cli.command import DONE, Commands, NotAccepted, at_least

if TYPE_CHECKING:
    from adapters.log_walk import LogFilter, Reads
    from adapters.settings import Settings
    from commands.ports import Vault
    from domain.ids import UserId

PAGE = 2_000


def add(actions: Commands) -> None:
    parser = actions.add_parser(
        "replay",
        help="print events as JSON lines, oldest first",
        description=(
            "Print events in the order of their positions, one JSON object a line: position, epoch, what the tree proves of the event, and "
            "its payload. Sealed fields are shown to be sealed. --reveal opens them, except credentials, which nobody can open; it needs "
            "the master key, and is itself written to the log before anything is shown."
        ),
        epilog="example: minos audit replay --type session --since 2026-11-01T00:00:00Z",
    )
    parser.add_argument("--after", type=at_least(0), default=0, metavar="POSITION", help="begin with the position after this one")
    parser.add_argument("--through", type=at_least(0), metavar="POSITION", help="end with this one; the last there is, where none is given")
    parser.add_argument("--since", type=moment, metavar="TIME", help="what was recorded at this moment or later (RFC 3339)")
    parser.add_argument("--until", type=moment, metavar="TIME", help="what was recorded before this moment")
    parser.add_argument("--type", metavar="TYPE", help="a type, or its beginning up to a dot, as `user` or `session.started`")
    parser.add_argument("--actor", help="who did it: user:<id>, client:<id>, api_key:<id>, system:<part>, anonymous")
    parser.add_argument("--user", metavar="USER", help="whom it is about: an id, an e-mail address or a username")
    parser.add_argument("--stream", help="only this stream, as user-<id>")
    parser.add_argument("--reveal", action="store_true", help="open sealed fields")


def moment(text: str) -> datetime:
    """Give the type of an argument that is a time: RFC 3339, with its offset."""
    from api.calendar_ends import brought_in

    with suppress(ValueError):
        given = datetime.fromisoformat(text)
        if given.tzinfo is not None:
            return brought_in(given)
    raise argparse.ArgumentTypeError(f"an RFC 3339 time with an offset, as 2026-11-26T09:30:00Z, not {text!r}")


async def act(args: argparse.Namespace) -> int:
    from adapters.cycles import no_search_for_cycles
    from adapters.log_reader import READ_SECONDS
    from adapters.postgres import Link
    from cli import startup
    from cli.authority import database_url

    _accept(args)
    settings = startup.settings()
    async with AsyncExitStack() as closing:
        link = Link(database_url(settings).reveal(), seconds=READ_SECONDS)
        closing.push_async_callback(link.close)
        vault, user_id = await _opened(args, settings, closing)
        if vault is None:
            closing.enter_context(no_search_for_cycles())
        await _print(link, args, _filter(args, user_id), vault)
    return DONE


def _accept(args: argparse.Namespace) -> None:
    """Refuse what no event can be like: no line at all would read as if nothing had happened. Raises NotAccepted."""
    import re

    from adapters.log_walk import ACTOR, STREAM, TYPE

    for name, pattern, form in (
        ("actor", ACTOR, "user:<id>, client:<id>, api_key:<id>, system:<part> or anonymous"),
        ("type", TYPE, "a type, or its beginning up to a dot, as `minos events` prints it"),
        ("stream", STREAM, "<category>-<id>, or a category alone, as `minos events` prints it"),
    ):
        given = getattr(args, name)
        if given is not None and re.match(pattern, given) is None:
            raise NotAccepted(f"not accepted: --{name} {given!r}; expected {form}")
    if args.since is not None and args.until is not None and args.until <= args.since:
        raise NotAccepted("not accepted: --until is not after --since, and nothing lies between them")
    if args.through is not None and args.through < args.after:
        raise NotAccepted("not accepted: --through lies before --after, and nothing between them")


async def _opened(args: argparse.Namespace, settings: "Settings", closing: AsyncExitStack) -> "tuple[Vault | None, UserId | None]":
    """Open what needs keys: sealed fields, after that was written down, and a name. Raises NoSuchUser."""
    from uuid import UUID

    from cli.authority import authority
    from cli.user_actions import found
    from commands.audit_asked import record_asked
    from domain.audit import Matter, Question
    from domain.ids import UserId

    if not args.reveal:
        try:
            return None, None if args.user is None else UserId(UUID(args.user))
        except ValueError:
            pass  # a name
    opened = await closing.enter_async_context(authority(settings))
    user_id = None if args.user is None else await found(opened, args.user)
    if not args.reveal:
        return None, user_id
    about = Matter(first=args.after + 1, last=args.through, user_id=user_id)
    await record_asked(Question.REVEAL, opened.context(), opened.ports, about)
    return opened.ports.vault, user_id


def _filter(args: argparse.Namespace, user_id: "UserId | None") -> "LogFilter":
    from adapters.log_walk import LogFilter
    from domain.ids import StreamName

    stream = None if args.stream is None else StreamName(args.stream)
    return LogFilter(type_prefix=args.type, actor=args.actor, stream=stream, user_id=user_id)


async def _print(reads: "Reads", args: argparse.Namespace, wanted: "LogFilter", vault: "Vault | None") -> None:
    """The log may grow meanwhile: what is printed ends where it ended at the start. Raises BrokenPipeError for a reader who has gone."""
    import sys

    from adapters.in_turns import in_turns
    from adapters.log_walk import LogWalk, stretch
    from adapters.replay_lines import revealed_lines, sealed_lines

    of = await stretch(reads, after=args.after, through=args.through, since=args.since, until=args.until)
    async with aclosing(LogWalk(reads, wanted, page=PAGE).pages(of)) as pages:
        async for page in pages:
            async for events in in_turns(page.events):
                if vault is None:
                    lines = sealed_lines(events, epoch=of.epoch)
                else:
                    lines = await revealed_lines(events, vault, epoch=of.epoch)
                sys.stdout.buffer.write(lines)
