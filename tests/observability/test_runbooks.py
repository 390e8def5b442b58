"""Each alert has a section that says what to do, by commands and figures that there are."""

import re
import shlex

import pytest

from cli.main import _parsed
from docs.console.authority import ROOT
from tests.observability.queries import ALERTS
from tests.observability.test_queries import SERIES

PAGE = (ROOT / "docs" / "how-to" / "runbooks.md").read_text()
SECTIONS = dict[str, str](re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = sorted(set(re.findall(r"`\./minos ([^`]+)`", PAGE)))
FIGURES = sorted(set(re.findall(r"`(minos_\w+)", PAGE)))
PARTS = ("**Costs**", "**Look**", "**Do**", "**Over**")


def test_each_alert_has_a_section_and_each_section_an_alert() -> None:
    assert list(SECTIONS) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_how_grave_it_is_and_all_there_is_to_know(name: str) -> None:
    section = SECTIONS[name]
    assert section.strip().startswith(f"`{ALERTS[name]['labels']['severity']}` · ")
    assert [section.count(part) for part in PARTS] == [1] * len(PARTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one(command: str) -> None:
    assert callable(_parsed([word.replace("TIME", "2026-01-01T00:00:00Z") for word in shlex.split(command)]).run)


def test_figures_are_some() -> None:
    families = SERIES.keys() | {name.removesuffix("_bucket") for name in SERIES}
    assert [figure for figure in FIGURES if figure not in families] == []
