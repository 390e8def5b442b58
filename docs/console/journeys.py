"""Which documents are read one after the other, in one terminal, and what runs when the reader begins."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from docs.console.authority import ROOT, Authority, free_ports
from docs.console.blocks import files, steps
from docs.console.given import given_servers, programs
from docs.console.walk import Outcome, Walk

SHOWN = (8001, 8002)
"""What services listen on in documents: each on its own, since a reader may go from one to the next."""


@dataclass(frozen=True, slots=True)
class Journey:
    """`running`: `./minos up` runs already. `given`: there are servers of somebody else's. `activated`: so is an environment that has
    the SDK, in which a service listens on one of the ports `SHOWN`."""

    documents: tuple[str, ...]
    running: bool = False
    given: bool = False
    activated: bool = False

    @property
    def name(self) -> str:
        return self.documents[0].removesuffix(".md")


JOURNEYS = (
    Journey(("README.md",)),
    Journey(("docs/tutorial.md",)),
    Journey(
        (
            "docs/how-to/rotate-signing-keys.md",
            "docs/how-to/rebuild-a-read-model.md",
            "docs/how-to/keep-the-log-small.md",
            "docs/how-to/ask-about-the-past.md",
            "docs/how-to/read-metrics.md",
            "docs/how-to/step-up.md",
            "docs/how-to/second-factors.md",
            "docs/how-to/set-limits.md",
            "docs/how-to/import-users.md",
            "docs/how-to/move-from-another-service.md",
            "docs/how-to/witness-a-log.md",
            "docs/how-to/replay-the-log.md",
        ),
        running=True,
    ),
    Journey(
        (
            "docs/how-to/service-accounts.md",
            "docs/how-to/give-services-nats.md",
            "docs/how-to/put-a-gateway-in-front.md",
            "docs/how-to/api-keys.md",
            "docs/how-to/follow-without-nats.md",
        ),
        running=True,
    ),
    Journey(
        (
            "docs/how-to/run-on-given-servers.md",
            "docs/how-to/run-several-processes.md",
            "docs/how-to/back-up-and-restore.md",
            "docs/how-to/change-the-master-key.md",
        ),
        given=True,
    ),
    Journey(("sdk/python/README.md", "docs/how-to/audit-the-log.md"), running=True, activated=True),
    Journey(
        ("docs/how-to/adopt-in-a-service.md", "docs/explanation/freshness.md", "docs/how-to/troubleshoot.md"), running=True, activated=True
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
        if journey.activated:
            for shown, port in zip(SHOWN, free_ports(len(SHOWN)), strict=True):
                swaps |= {f"127.0.0.1:{shown}": f"127.0.0.1:{port}", f"--port {shown}": f"--port {port}"}
            path = f"{ROOT / '.venv' / 'bin'}:{path}"
        for name in journey.documents:
            for file, text in files(ROOT / name).items():
                (home / file).write_text(text)
        walk = Walk(Authority(home, {"PATH": path}), swaps)
        if journey.running:
            walk.begin()
        yield from walk.through([(name, step) for name in journey.documents for step in steps(ROOT / name)])
