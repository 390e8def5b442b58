"""Keep the bytes of events that have none yet: `python -m tests.golden.write`. What is kept is never written again."""

import sys
from collections.abc import Mapping
from pathlib import Path

from domain.codec import encode_event
from domain.leaf import encode_leaf
from tests.golden.examples import BY_TAG, leaf_of

FOLDER = Path(__file__).parent


def golden() -> dict[str, bytes]:
    """The bytes today's code makes of every example, by file name."""
    events = {f"{tag}.json": encode_event(event) for tag, event in BY_TAG.items()}
    leaves = {f"{tag}.leaf.json": encode_leaf(leaf_of(event)) for tag, event in BY_TAG.items()}
    return events | leaves


def write(wanted: Mapping[str, bytes], folder: Path = FOLDER) -> list[str]:
    """Write what is not there. Raises ValueError, before writing anything, where a file holds other bytes."""
    changed = [name for name, content in wanted.items() if (folder / name).exists() and (folder / name).read_bytes() != content]
    if changed:
        raise ValueError(f"stored events look like this and cannot change: {', '.join(sorted(changed))}; give the event a new version")
    made = [name for name in sorted(wanted) if not (folder / name).exists()]
    for name in made:
        (folder / name).write_bytes(wanted[name])
    return made


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in write(golden())))
