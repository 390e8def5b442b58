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
from docs.console.walk import ASKS_FOR_CODE, Outcome, Walk


def record(document: Path) -> bool:
    """Rewrite the document. False when something has to be mended by hand."""
    fine = True
    lines = document.read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix="minos-docs-") as folder:
        walk = Walk(Authority(Path(folder)))
        outcomes = list(walk.through(steps(document)))
    for outcome in reversed(outcomes):
        if _is_shortened(outcome) or outcome.code != 0:
            if not outcome.as_said:
                fine = False
                print(f"{document}:{outcome.step.line}: exit code {outcome.code}\n$ {outcome.step.command}\n{outcome.output}\n")
            continue
        lines[outcome.step.first - 1 : outcome.step.last - 1] = [
            line.rstrip() for line in shortened(outcome.output).strip("\n").splitlines()
        ]
    document.write_text("\n".join(with_shown_code(lines)) + "\n")
    return fine


def with_shown_code(lines: Sequence[str]) -> list[str]:
    """Have the reader type the code that the document showed."""
    shown = next((line for line in lines if line.startswith("bootstrap code: ")), None)
    code = "" if shown is None else shown.removeprefix("bootstrap code: ")
    return [f"$ code={code}" if code and ASKS_FOR_CODE.match(line.removeprefix("$ ")) and line.startswith("$ ") else line for line in lines]


def _is_shortened(outcome: Outcome) -> bool:
    """Tell whether the author left something out. A token cut short by us ends in the mark and a quote."""
    shown = "\n".join(outcome.step.expected).replace(f'{ANY_TEXT}"', "")
    return ANY_TEXT in shown or any(line.strip() == ANY_LINES for line in outcome.step.expected)


def main(arguments: Sequence[str]) -> int:
    return 0 if sum(not record(Path(name)) for name in arguments) == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
