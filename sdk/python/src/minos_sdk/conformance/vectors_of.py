"""The vectors as they are kept."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    applies: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    """Those that every case of the file begins with, and its own."""


def cases_in(folder: Path = FOLDER) -> list[Case]:
    """Read every case; its name begins with its file's."""
    return [case for file in sorted(folder.glob("*.json")) for case in _cases_of(file)]


def _cases_of(file: Path) -> list[Case]:
    content: dict[str, Any] = json.loads(file.read_text())
    return [
        Case(f"{file.stem}: {case['name']}", tuple(case["applies"]), (*content["preamble"], *case["steps"])) for case in content["cases"]
    ]
