"""What the documents tell a reader to type is typed, against real servers, in an empty folder for each journey."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from docs.console.authority import ROOT
from docs.console.journeys import JOURNEYS, Journey, travel


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which is closed to the system user that PostgreSQL runs as under root."""
    with TemporaryDirectory(prefix="minos-docs-") as path:
        yield Path(path)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_documents_show_what_a_reader_will_see(journey: Journey, folder: Path) -> None:
    for name, outcome in travel(journey, folder):
        shown = "\n".join(outcome.step.expected)
        told = f"{name}:{outcome.step.line}\n$ {outcome.step.command}\nexit code {outcome.code}\n{outcome.output}\nis not\n{shown}"
        assert outcome.as_said, told


def test_every_document_with_commands_is_on_a_journey() -> None:
    pages = (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "sdk" / "python" / "README.md")
    with_commands = {page.relative_to(ROOT).as_posix() for page in pages if "```console" in page.read_text()}
    assert with_commands == {name for journey in JOURNEYS for name in journey.documents}
