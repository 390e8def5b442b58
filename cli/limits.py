"""`minos limits`: what is in force, whether a file can be used, and the same for nginx."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from cli.command import COULD_NOT, DONE, NO, Commands
from cli.nginx_limits import PARTS

if TYPE_CHECKING:
    from adapters.limits.policy import Limits
    from adapters.settings import Settings


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "limits",
        help="show the limits in force, check a file, write them for nginx",
        description="How often each operation may be asked, by address, network, account and login name. Without an action: show it.",
        epilog="example: minos limits check limits.toml",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    check = actions.add_parser("check", help="say what is wrong with a file for MINOS_LIMITS_FILE; exit 1 when something is")
    check.add_argument("file", type=Path)
    nginx = actions.add_parser("nginx", help="write the limits by address and network as a configuration of nginx")
    nginx.add_argument("part", choices=PARTS, help="for the block `http`, or for the `server` in front of Minos")
    return parser


class Row(Struct, frozen=True, kw_only=True):
    group: str
    counts: str
    rates: tuple[str, ...]
    operations: tuple[str, ...]


def run(args: argparse.Namespace) -> int:
    from adapters import settings_source
    from adapters.limits.policy_file import load

    if args.action == "check":
        return _check(args.file)
    settings = settings_source.load().settings
    limits = load(settings.limits_file)
    if args.action == "nginx":
        _write_for_nginx(args.part, limits, settings)
    else:
        _show(limits, as_json=args.json)
    return DONE


def _check(file: Path) -> int:
    from adapters.limits.policy_file import BadLimits, load, require_operations
    from api.policy import POLICY

    try:
        require_operations(load(file), POLICY)
    except BadLimits as bad:
        for problem in bad.problems:
            print(problem.partition(": ")[2])
        return NO if file.is_file() else COULD_NOT
    print(f"{file} can be used")
    return DONE


def _show(limits: "Limits", *, as_json: bool) -> None:
    from cli.printing import print_json, print_rows

    rows = [
        Row(group=each.name, counts=kind, rates=tuple(map(str, rates)), operations=each.operations)
        for each in limits.classes.values()
        for kind, rates in each.rates.items()
    ]
    if as_json:
        print_json(rows)
        return
    print_rows([_Line(group=row.group, counts=row.counts, rates=", ".join(row.rates) or "no limit") for row in rows], as_json=False)
    for each in limits.classes.values():
        print(f"\n{each.name}: {', '.join(each.operations) or 'whatever is nowhere else'}")


class _Line(Struct, frozen=True, kw_only=True):
    group: str
    counts: str
    rates: str


def _write_for_nginx(part: str, limits: "Limits", settings: "Settings") -> None:
    from litestar import Litestar

    from api.app import create, served
    from cli.nginx_limits import written

    app = cast("Litestar", create(settings).app)  # what the edge is made around
    print(written(part, limits, served(app)), end="")
