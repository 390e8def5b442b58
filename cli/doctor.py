"""`minos doctor`: finds what is wrong with an installation, and says what to do."""

import argparse
import asyncio

import msgspec

from cli import startup
from cli.command import DONE, NO, Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "doctor",
        help="check an installation",
        description=(
            "Check settings, keys, disk, database, roles, schema, clock, audit tree, broker, signals to services and API. "
            "Exit code 1 when something is wrong."
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
        found = [Finding(check="settings", ok=False, detail=problem) for problem in bad.problems]
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for finding in found:
            print(f"{'ok ' if finding.ok else 'BAD'}  {finding.check:<20}  {finding.detail}")
    return DONE if all(finding.ok for finding in found) else NO
