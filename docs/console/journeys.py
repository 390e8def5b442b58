"""Which documents are read one after the other, in one terminal, and what runs when the reader begins."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from docs.console.authority import ROOT, Authority
from docs.console.blocks import steps
from docs.console.given import given_servers, programs
from docs.console.walk import Outcome, Walk


@dataclass(frozen=True, slots=True)
class Journey:
    """`running`: `./minos up` runs already. `given`: there are servers of somebody else's."""

    documents: tuple[str, ...]
    running: bool = False
    given: bool = False

    @property
    def name(self) -> str:
        return Path(self.documents[0]).stem


JOURNEYS = (
    Journey(("README.md",)),
    Journey(("docs/tutorial.md",)),
    Journey(
        (
            "docs/how-to/rotate-signing-keys.md",
            "docs/how-to/rebuild-a-read-model.md",
            "docs/how-to/read-metrics.md",
            "docs/how-to/step-up.md",
            "docs/how-to/second-factors.md",
            "docs/how-to/set-limits.md",
            "docs/how-to/import-users.md",
            "docs/how-to/move-from-another-service.md",
        ),
        running=True,
    ),
    Journey(("docs/how-to/service-accounts.md", "docs/how-to/put-a-gateway-in-front.md", "docs/how-to/api-keys.md"), running=True),
    Journey(
        ("docs/how-to/run-on-given-servers.md", "docs/how-to/run-several-processes.md", "docs/how-to/back-up-and-restore.md"),
        given=True,
    ),
)


def travel(journey: Journey, folder: Path) -> Iterator[tuple[str, Outcome]]:
    """Give each document's name with each outcome, in order. Whatever was started is stopped in the end."""
    home = folder / "minos"
    home.mkdir()
    with ExitStack() as stack:
        swaps: dict[str, str] = {}
        path = os.environ["PATH"]
        if journey.given:
            swaps = stack.enter_context(given_servers(folder / "given"))
            path = f"{programs()}:{path}"
        walk = Walk(Authority(home, {"PATH": path}), swaps)
        if journey.running:
            walk.begin()
        yield from walk.through([(name, step) for name in journey.documents for step in steps(ROOT / name)])
