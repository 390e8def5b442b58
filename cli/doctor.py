"""`minos doctor`: finds what is wrong with an installation, and says what to do."""

import argparse
import asyncio
from typing import TYPE_CHECKING

import msgspec

from cli import startup
from cli.command import DONE, NO, Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.finding import Finding


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "doctor",
        help="check an installation",
        description=(
            "Check settings, machine, keys, database, log, audit tree, backups, NATS, signals to services, certificates and API. It only "
            "reads. `BAD` is wrong and exit code 1; `warn` will be, or may be meant so. Each says what to do."
        ),
        epilog="example: minos doctor --json",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from adapters.settings_source import BadSettings
    from cli.checks import examine
    from cli.finding import Finding

    try:
        found = asyncio.run(examine(startup.settings()))
    except BadSettings as bad:
        found = [Finding(group="settings", check="settings", ok=False, detail=problem) for problem in bad.problems]
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _print(found)
    return NO if any(finding.is_wrong for finding in found) else DONE


def _print(found: "Sequence[Finding]") -> None:
    """In groups, each in the order in which its checks ran."""
    for number, group in enumerate(dict.fromkeys(finding.group for finding in found)):
        print(f"{chr(10) if number else ''}{group}")
        for finding in found:
            if finding.group == group:
                word = "ok" if finding.ok else "warn" if finding.warning else "BAD"
                print(f"{word:<4} {finding.check:<20}  {finding.detail}")
