"""`adr/README.md`: the list of decisions, from the decisions."""

import re
from pathlib import Path

from docs.generator.markdown import document

FOLDER = Path(__file__).parents[1] / "adr"

_INTRODUCTION = """
Each page is one decision that could reasonably have been another: what was decided, why, and what follows. A decision that no longer
holds is not edited but followed by one that says so.
"""


def page() -> str:
    lines = [f"{path.name[:4].lstrip('0')}. [{_title(path)}]({path.name})" for path in sorted(FOLDER.glob("[0-9]*.md"))]
    return document("Decisions", _INTRODUCTION, "\n".join(lines))


def _title(path: Path) -> str:
    first = path.read_text().partition("\n")[0].removeprefix("# ")
    return re.sub(r"^(ADR )?\d+[.:]? ", "", first)
