"""Put real output into a document: `uv run python -m docs.record README.md ...`.

Output that the author shortened with `...` or `…` is left as it is, and compared; what no longer fits is told.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs.console.authority import Authority
from docs.console.blocks import steps
from docs.console.matching import ANY_LINES, ANY_TEXT, shortened
from docs.console.walk import Outcome, Walk


def record(document: Path) -> bool:
    """Rewrite the document. False when something has to be mended by hand."""
    fine = True
    lines = document.read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix="minos-docs-") as folder:
        outcomes = list(Walk(Authority(Path(folder))).through(steps(document)))
    for outcome in reversed(outcomes):
        if _is_shortened(outcome) or outcome.code != 0:
            if not outcome.as_said:
                fine = False
                print(f"{document}:{outcome.step.line}: exit code {outcome.code}\n$ {outcome.step.command}\n{outcome.output}\n")
            continue
        output = shortened(outcome.output).strip("\n")
        lines[outcome.step.first - 1 : outcome.step.last - 1] = output.splitlines()
    document.write_text("\n".join(lines) + "\n")
    return fine


def _is_shortened(outcome: Outcome) -> bool:
    tokens_aside = "\n".join(outcome.step.expected)
    return any(line.strip() == ANY_LINES for line in outcome.step.expected) or f'{ANY_TEXT}"' not in tokens_aside and ANY_TEXT in tokens_aside


def main(arguments: Sequence[str]) -> int:
    return 0 if all([record(Path(name)) for name in arguments]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
