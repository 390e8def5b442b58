"""Every capability has its line, and a line that says "done" names files and tests that exist."""

import re

import pytest

from docs.console.authority import ROOT
from tests.docs.naming import LATER, are_tests, files_and_tests, missing

ROWS = {
    "ACC": 24, "SES": 16, "TOK": 16, "M2M": 13, "KEY": 12, "OTP": 15, "FED": 8, "AZ": 8, "ADM": 16, "AUD": 6, "HOOK": 10, "RATE": 9,
    "GW": 9, "SDK": 23, "BRW": 6, "CFG": 16, "OPS": 15, "OBS": 9, "QA": 10, "DOC": 9,
}  # fmt: skip
PAGE = (ROOT / "docs" / "capabilities.md").read_text()
LINES = re.findall(r"^\| ([A-Z0-9]+-\d\d) \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)


def test_every_row_has_one_line() -> None:
    assert sorted(row for row, *_ in LINES) == sorted(f"{family}-{n:02d}" for family, last in ROWS.items() for n in range(1, last + 1))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_a_line_says_where_and_shown_by_what_or_when(line: tuple[str, str, str, str]) -> None:
    _, what, where, shown = line
    assert what
    if shown == "-":
        assert where.removeprefix("later: ") in LATER or where.startswith("left out: ")
    else:
        assert files_and_tests(where)
        assert are_tests(shown)
    assert missing(" ".join(line)) == []


def test_the_count_is_true() -> None:
    done = sum(shown != "-" for *_, shown in LINES)
    assert f"Of {len(LINES)} rows {done} are done." in PAGE


def test_tests_named_in_explanations_exist() -> None:
    assert [name for page in (ROOT / "docs" / "explanation").glob("*.md") for name in missing(page.read_text())] == []
