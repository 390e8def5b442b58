"""What the documents tell a reader to type is typed, against a real `./minos up` in an empty folder for each document."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from docs.console.authority import ROOT, Authority
from docs.console.blocks import steps
from docs.console.walk import Walk

DOCUMENTS = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "```console" in path.read_text()
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which is closed to the system user that PostgreSQL runs as under root."""
    with TemporaryDirectory(prefix="minos-docs-") as path:
        yield Path(path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_shows_what_a_reader_will_see(name: str, folder: Path) -> None:
    for outcome in Walk(Authority(folder)).through(steps(ROOT / name)):
        shown = "\n".join(outcome.step.expected)
        told = f"{name}:{outcome.step.line}\n$ {outcome.step.command}\nexit code {outcome.code}\n{outcome.output}\nis not\n{shown}"
        assert outcome.as_said, told


def test_the_tour_is_in_the_readme() -> None:
    assert "README.md" in DOCUMENTS
    assert any(step.command == "./minos up" for step in steps(ROOT / "README.md"))
