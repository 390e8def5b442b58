"""`minos settings`: what is in force, and where each value comes from."""

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from adapters.secret import Secret
from adapters.settings_table import SETTINGS, Setting, shown
from cli.command import COULD_NOT, DONE, Commands

if TYPE_CHECKING:
    from adapters.settings_source import Loaded


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "settings",
        help="show the settings in force and where they come from",
        description="Show every setting, its value and its origin. Secrets are hidden.",
        epilog="example: minos settings --json",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--reveal", action="store_true", help="show secrets too (development only)")
    return parser


def run(args: argparse.Namespace) -> int:
    from adapters import settings_source

    loaded = settings_source.load()
    if args.reveal and loaded.settings.in_production:
        print("minos: --reveal works in development only", file=sys.stderr)
        return COULD_NOT
    rows = [_row(loaded, setting, reveal=args.reveal) for setting in SETTINGS]
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return DONE
    width = max(len(row.name) for row in rows)
    for row in rows:
        text = ",".join(row.value) if isinstance(row.value, list) else shown(row.value)
        unit = f" {row.unit}" if row.unit and text else ""
        origin = "" if row.origin == "default" else f"   ({row.origin})"
        print(f"{row.name:<{width}}  {text or '-'}{unit}{origin}")
    return DONE


class _Row(Struct, frozen=True, kw_only=True):
    name: str
    value: str | int | bool | list[str] | None
    origin: str
    unit: str | None
    doc: str


def _row(loaded: "Loaded", setting: Setting, *, reveal: bool) -> _Row:
    value = getattr(loaded.settings, setting.field)
    if isinstance(value, Secret):
        value = value.reveal() if reveal else "(hidden)"
    origin = loaded.origins.get(setting.name, "default")
    fields = {"name": setting.name, "value": value, "origin": origin, "unit": setting.unit, "doc": setting.doc}
    return msgspec.convert(msgspec.to_builtins(fields, enc_hook=str), _Row)
