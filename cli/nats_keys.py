"""`minos nats-keys`: the keys with which Minos and a NATS server of yours know each other."""

import argparse
from pathlib import Path

from msgspec import Struct

from cli.command import DONE, Commands, NotAccepted

PUBLIC = "keys.conf"
_IN_CONF = ("minos_user", "callout_issuer", "callout_xkey")


class SetHere(Struct, frozen=True, kw_only=True):
    setting: str
    file: str


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "nats-keys",
        help="make keys for a NATS server of yours",
        description=(
            "Make in FOLDER the seeds that the settings name, readable by you alone, and keys.conf with the public keys for the server's "
            "configuration (deploy/nats/nats.conf). What is there already stays."
        ),
        epilog="example: minos nats-keys /etc/minos/nats",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from adapters.nats_home import KEYS, keep_keys
    from adapters.nats_keys import is_seed
    from cli.printing import print_rows

    folder: Path = args.folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, kind in KEYS.items():
        path = folder / name
        if path.exists() and not is_seed(path.read_text(errors="replace").strip(), kind):
            raise NotAccepted(f"{path} is there and no key: move it away, or choose another folder")
    lines = [f"{name}: {key}\n" for name, key in zip(_IN_CONF, keep_keys(folder), strict=True)]
    (folder / PUBLIC).write_text("# Public keys, for deploy/nats/nats.conf. The seeds belong to Minos alone.\n" + "".join(lines))
    settings = ("MINOS_NATS_CREDENTIALS", "MINOS_NATS_CALLOUT_ISSUER_FILE", "MINOS_NATS_CALLOUT_XKEY_FILE")
    rows = [SetHere(setting=setting, file=str(folder / name)) for setting, name in zip(settings, KEYS, strict=True)]
    print_rows(rows, as_json=args.json)
    return DONE
