"""What questions about moments of the past have in common: how a moment is said, and answers that come in pages."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from cli.command import NotAccepted, at_least

if TYPE_CHECKING:
    from datetime import datetime

    from projections.past.moments import Moment
    from projections.periods import Mark

P = TypeVar("P")

TIME = "an RFC 3339 time with an offset, as 2026-11-26T09:30:00Z, position:N, or now"


def read_time(text: str) -> "datetime | int":
    """Raises NotAccepted."""
    from projections.past.moments import read_when

    try:
        return read_when(text)
    except ValueError:
        raise NotAccepted(f"not accepted: {text!r}; a time is {TIME}") from None


def add_pages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=at_least(1, 1_000), default=50, metavar="N", help="rows of one page (%(default)s)")
    parser.add_argument("--all", action="store_true", help="all pages, one after the other")
    parser.add_argument("--json", action="store_true", help="print one JSON object a page, with the events' ids")


async def print_pages(page: Callable[[P | None], Awaitable[P | None]], args: argparse.Namespace) -> None:
    """`page` prints the page that begins at a place, None for the first, and gives where the next one does, None behind the last."""
    after = await page(None)
    while after is not None and args.all:
        after = await page(after)
    if after is not None and not args.json:
        print("there is more: --all shows it")


def covered(then: "Moment") -> str:
    return "not covered by a checkpoint yet" if then.checkpoint is None else f"covered by the checkpoint of size {then.checkpoint}"


def held_back(then: "Moment") -> list[str]:
    return [f"held back: {stream}; what came of it is not in this" for stream in then.held_back]


def positions(cites: "Sequence[Mark]") -> str:
    return ", ".join(str(mark.position) for mark in cites)
