"""`minos doctor`: finds what is wrong with an installation, and says what to do."""

import argparse

from cli.command import Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "doctor",
        help="check an installation",
        description="Check settings, database, roles, migrations, broker, clock, disk and keys. Exit code 1 when something is wrong.",
        epilog="example: minos doctor --json",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import checks

    return checks.report(as_json=args.json)
