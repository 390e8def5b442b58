"""The checklist for ASVS 5.0 has every point of its chapters once, and each says what shows it, or why nothing does."""

import re
from collections import Counter

import pytest
from msgspec import Struct, convert

from docs.console.authority import ROOT
from tests.docs.naming import LATER, are_tests, files_and_tests, missing

LEVELS = {
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "9.1": "111", "9.2": "1222",
}  # fmt: skip
"""From which level each point of a section is asked for, in their order."""
PAGE = (ROOT / "docs" / "security" / "asvs.md").read_text()
MISSING = "Missing: "


class Row(Struct, frozen=True, array_like=True):
    point: str
    level: str
    state: str
    asked: str
    answer: str
    shown: str


ROWS = convert(re.findall(r"^\| (\d\.\d\.\d+) \| (\d) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE), list[Row])


def test_every_point_has_one_row_with_its_level() -> None:
    expected = [(f"{section}.{n}", level) for section, levels in LEVELS.items() for n, level in enumerate(levels, 1)]
    assert [(row.point, row.level) for row in ROWS] == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.point)
def test_a_row_names_what_shows_it_or_says_why_nothing_does(row: Row) -> None:
    match row.state:
        case "met":
            assert files_and_tests(row.answer)
            assert are_tests(row.shown)
        case "in part":
            assert are_tests(row.shown)
            assert MISSING in row.answer
        case "not met" | "does not apply":
            assert row.shown == "-"
        case _:
            assert row.state.removeprefix("later: ") in LATER
            assert row.shown == "-"
    assert missing(f"{row.answer} {row.shown}") == []


def test_the_count_is_true() -> None:
    states = Counter("later" if row.state in {f"later: {name}" for name in LATER} else row.state for row in ROWS)
    counted = f"{states['met']} met, {states['in part']} in part, {states['not met']} not met, {states['later']} later"
    assert f"Of {len(ROWS)} points: {counted}, {states['does not apply']} do not apply." in PAGE
