"""Put real output into the documents: `uv run python -m docs.record`, or with the names of some of them.

Output that the author shortened with `...` or `…` is left as it is, and compared; what no longer fits is told.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs.console.authority import ROOT
from docs.console.journeys import JOURNEYS, Journey, travel
from docs.console.matching import ANY_LINES, ANY_TEXT, shortened
from docs.console.walk import ASKS_FOR_CODE, Outcome


def record(journey: Journey) -> bool:
    """Rewrite a journey's documents. False when something has to be mended by hand."""
    with tempfile.TemporaryDirectory(prefix="minos-docs-") as folder:
        outcomes = list(travel(journey, Path(folder)))
    return all([_rewrite(name, [outcome for of, outcome in outcomes if of == name]) for name in journey.documents])  # noqa: C419 - each of them


def _rewrite(name: str, outcomes: Sequence[Outcome]) -> bool:
    fine = True
    lines = (ROOT / name).read_text().splitlines()
    for outcome in reversed(outcomes):
        if _is_shortened(outcome) or outcome.code != 0:
            if not outcome.as_said:
                fine = False
                print(f"{name}:{outcome.step.line}: exit code {outcome.code}\n$ {outcome.step.command}\n{outcome.output}\n")
            continue
        lines[outcome.step.first - 1 : outcome.step.last - 1] = [
            line.rstrip() for line in shortened(outcome.output).strip("\n").splitlines()
        ]
    (ROOT / name).write_text("\n".join(with_shown_code(lines)) + "\n")
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
    wanted = [journey for journey in JOURNEYS if not arguments or set(arguments) & set(journey.documents)]
    return sum(not record(journey) for journey in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
