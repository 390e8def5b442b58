"""Statements from the `.sql` file beside a module: each begins with a line `-- name: verb`."""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


def beside(module_file: str) -> Mapping[str, str]:
    """Read the statements of the `.sql` file that has the module's own name. Raises ValueError when a name is there twice."""
    path = Path(module_file).with_suffix(".sql")
    parts = _NAME.split(path.read_text(encoding="utf-8"))
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name} has a statement name twice")
    return dict(zip(names, (body.strip() for body in bodies), strict=True))
