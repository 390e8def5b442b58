"""The reference is what the code says, and the pages hang together."""

import re
from pathlib import Path

import pytest

from docs.console.authority import ROOT
from docs.generate import outdated

PAGES = (*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")))
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_the_reference_is_up_to_date() -> None:
    assert outdated() == [], "run: uv run python -m docs.generate"


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    missing = [link for link in _LINK.findall(page.read_text()) if not _leads_somewhere(page, link)]
    assert missing == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    while True:
        found = {
            target
            for page in reached
            for link in _LINK.findall(page.read_text())
            if not link.startswith("http")
            and (target := (page.parent / link.partition("#")[0]).resolve()).suffix == ".md"
            and target.exists()
        }
        if found <= reached:
            break
        reached |= found
    assert {page for page in PAGES if (ROOT / "docs") in page.parents} - reached == set()


def _leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith(("http://", "https://", "mailto:")):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in {_anchor(title) for title in _HEADING.findall(target.read_text())}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
