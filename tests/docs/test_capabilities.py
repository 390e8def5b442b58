"""Every capability has its line, and a line that says "done" names files and tests that exist."""

import ast
import re

import pytest

from docs.console.authority import ROOT

ROWS = {
    "ACC": 24, "SES": 16, "TOK": 16, "M2M": 13, "KEY": 12, "OTP": 15, "FED": 8, "AZ": 8, "ADM": 16, "AUD": 6, "HOOK": 10, "RATE": 9,
    "GW": 9, "SDK": 23, "BRW": 6, "CFG": 16, "OPS": 15, "OBS": 9, "QA": 10, "DOC": 9,
}  # fmt: skip
LATER = {
    "accounts and factors", "downstream and SDK", "OAuth and OIDC", "audit and proofs", "operations", "webhooks", "pages and console",
}  # fmt: skip
PAGE = (ROOT / "docs" / "capabilities.md").read_text()
LINES = re.findall(r"^\| ([A-Z0-9]+-\d\d) \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
_NAMED = re.compile(r"`([\w./-]+\.(?:py|sql|md|yaml|json|lock)|justfile|deploy/\w+|\.ci/run)(?:::(\w+))?`")


def test_every_row_has_one_line() -> None:
    assert sorted(row for row, *_ in LINES) == sorted(f"{family}-{n:02d}" for family, last in ROWS.items() for n in range(1, last + 1))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_a_line_says_where_and_shown_by_what_or_when(line: tuple[str, str, str, str]) -> None:
    _, what, where, shown = line
    assert what
    if shown == "-":
        assert where.removeprefix("later: ") in LATER or where.startswith("left out: ")
    else:
        assert _NAMED.search(where)
        assert all(test.startswith("tests/") and name for test, name in _NAMED.findall(shown))
    missing = [f"{path}::{name}" for path, name in _NAMED.findall(" ".join(line)) if not _exists(path, name)]
    assert missing == []


def test_the_count_is_true() -> None:
    done = sum(shown != "-" for *_, shown in LINES)
    assert f"Of {len(LINES)} rows {done} are done." in PAGE


def test_tests_named_in_explanations_exist() -> None:
    named = [found for page in (ROOT / "docs" / "explanation").glob("*.md") for found in _NAMED.findall(page.read_text())]
    assert [f"{path}::{name}" for path, name in named if not _exists(path, name)] == []


def _exists(path: str, name: str) -> bool:
    file = ROOT / path
    if not file.is_file():
        return False
    return not name or name in {
        node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
