"""`minos users import`: a file of JSON lines, read piece by piece, with what became of each line counted and told."""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec
from msgspec import Struct

from cli.authority import Authority
from cli.command import DONE, NO
from cli.printing import print_json
from cli.progress import Bar
from commands.import_user import ImportUser, Outcome, import_user
from commands.login_names import guarded_name
from domain.claim import ClaimKind

LONGEST_LINE = 16_384
"""Bytes. What is longer is no account, and is never held in memory as a whole."""
AT_ONCE = 16
MALFORMED, TOO_LONG = "malformed", "line_too_long"
_decoder = msgspec.json.Decoder(ImportUser)


class Summary(Struct, frozen=True, kw_only=True):
    lines: int
    imported: int
    already_imported: int
    refused: dict[str, int]
    dry_run: bool


class Line(Struct, frozen=True):
    number: int
    user: ImportUser | None
    fault: str | None
    """Why nothing can be read from it."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Names no person: the line does, in the file that whoever reads this has."""

    line: int
    reason: str


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Read line by line; blank ones are passed over."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            yield Line(number, None, TOO_LONG)
        elif raw.strip():
            yield _read(number, raw)


def _read(number: int, raw: bytes) -> Line:
    try:
        return Line(number, _decoder.decode(raw), None)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Line(number, None, MALFORMED)


class Importing:
    """Lines as they are done, AT_ONCE at a time; two of one address or username never at once, so the first in the file wins."""

    def __init__(self, authority: Authority, report: TextIO | None, *, dry_run: bool) -> None:
        self._authority = authority
        self._report = report
        self._dry_run = dry_run
        self._counts: Counter[str] = Counter()
        self._seen: set[bytes] = set()
        """MACs of what a dry run would have made, since nothing else remembers it."""

    async def take(self, lines: list[Line]) -> None:
        """Raises StoreUnavailable: everything before is done, and the file may be given again."""
        for line, outcome in zip(lines, await asyncio.gather(*map(self._outcome, lines)), strict=True):
            self._counts[outcome] += 1
            if self._report is not None and outcome not in {Outcome.IMPORTED, Outcome.ALREADY_IMPORTED}:
                self._report.write(msgspec.json.encode(Refusal(line=line.number, reason=outcome)).decode() + "\n")

    def summary(self) -> Summary:
        done = {Outcome.IMPORTED, Outcome.ALREADY_IMPORTED}
        return Summary(
            lines=self._counts.total(),
            imported=self._counts[Outcome.IMPORTED],
            already_imported=self._counts[Outcome.ALREADY_IMPORTED],
            refused={reason: n for reason, n in sorted(self._counts.items()) if reason not in done},
            dry_run=self._dry_run,
        )

    async def _outcome(self, line: Line) -> str:
        if line.user is None:
            return line.fault or MALFORMED
        outcome = await import_user(line.user, self._authority.context(), self._authority.ports, dry_run=self._dry_run)
        return self._as_if(line.user) if self._dry_run and outcome is Outcome.IMPORTED else outcome

    def _as_if(self, user: ImportUser) -> Outcome:
        macs = [self._authority.ports.macs.login_name(name) for name in names(user)]
        taken = [mac in self._seen for mac in macs]
        if not any(taken):
            self._seen.update(macs)
            return Outcome.IMPORTED
        return Outcome.ALREADY_IMPORTED if taken[0] else Outcome.USERNAME_TAKEN


def names(user: ImportUser) -> list[str]:
    """Its address and its username, if any, as one account is told from another by."""
    kinds = ((ClaimKind.EMAIL, user.email), (ClaimKind.USERNAME, user.username))
    return [guarded_name(kind, text).counted_as for kind, text in kinds if text is not None]


def together(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Give lines in groups of AT_ONCE; a name that is in the group already begins the next."""
    group: list[Line] = []
    taken: set[str] = set()
    for line in lines:
        own = set(names(line.user)) if line.user is not None else set[str]()
        if len(group) == AT_ONCE or taken & own:
            yield group
            group, taken = [], set()
        group.append(line)
        taken |= own
    if group:
        yield group


async def run_import(authority: Authority, args: argparse.Namespace) -> int:
    """Give NO where a line was refused."""
    with ExitStack() as open_files:
        file = open_files.enter_context(args.file.open("rb"))
        report = None if args.report is None else open_files.enter_context(_report(args.report))
        bar = open_files.enter_context(_bar(quiet=args.json))
        size = args.file.stat().st_size
        importing = Importing(authority, report, dry_run=args.dry_run)
        for group in together(lines_of(file)):
            await importing.take(group)
            bar.counted("importing", file.tell(), size, importing.summary().lines)
    summary = importing.summary()
    if args.json:
        print_json(summary)
    else:
        _tell(summary)
    return NO if summary.refused else DONE


def _bar(*, quiet: bool) -> Bar:
    """By bytes of the file, with the lines that were read."""
    from rich.progress import DownloadColumn, TextColumn

    return Bar(quiet=quiet, columns=(DownloadColumn(), TextColumn("{task.fields[count]:,} lines")))


def _report(path: Path) -> TextIO:
    """For its owner's eyes: which lines are bad says something of people, too."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _tell(summary: Summary) -> None:
    print(f"{'would be imported' if summary.dry_run else 'imported'}: {summary.imported:,} of {summary.lines:,}")
    if summary.already_imported:
        print(f"imported before: {summary.already_imported:,}")
    for reason, count in summary.refused.items():
        print(f"refused, {reason}: {count:,}")
