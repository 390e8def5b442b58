"""Statements from `.sql` files: each begins with a line `-- name: verb`."""

import re
from collections.abc import Mapping
from pathlib import Path

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


def statements(path: Path) -> Mapping[str, str]:
    """Read a file's statements by name. Raises ValueError when a name is there twice."""
    parts = NAME.split(path.read_text(encoding="utf-8"))
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name} has a statement name twice")
    return dict(zip(names, (body.strip() for body in bodies), strict=True))
