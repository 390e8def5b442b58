"""What is told to do exists: every command parses, every code is one, every setting is one, and so is every finding of the doctor, every
alert and log line; every piece of code in these pages runs."""

import ast
import re
import shlex
from collections.abc import Iterator

import pytest

from adapters.settings import Settings
from cli.main import _parsed
from docs.console.authority import ROOT
from minos_sdk import Code

PAGES = {
    name: (ROOT / "docs" / name).read_text()
    for name in (
        "how-to/troubleshoot.md", "how-to/adopt-in-a-service.md", "how-to/go-to-production.md", "how-to/size-an-installation.md",
        "how-to/upgrade.md", "explanation/failures.md", "explanation/freshness.md",
    )
}  # fmt: skip
COMMANDS = sorted({command for page in PAGES.values() for command in re.findall(r"(?:`|^ *)\./minos ([^`#\n]+)", page, re.MULTILINE)})
CODES = sorted(set(re.findall(r"^\| `([a-z_]+)`", PAGES["how-to/troubleshoot.md"], re.MULTILINE)) - {"code", "doctor"})
SETTINGS = sorted({name for page in PAGES.values() for name in re.findall(r"`MINOS_([A-Z_]+)`", page)})
_NAMES = r"((?:`[^`]+`(?:, | and | or )?)+)"
FINDINGS = sorted(set(re.findall(r"`([^`]+)`", " ".join(re.findall(rf"`doctor`: {_NAMES}", PAGES["how-to/go-to-production.md"])))))
ALERTS = sorted({name for page in PAGES.values() for name in re.findall(r"`(Minos[A-Z]\w+)`", page)})
LINES = sorted(set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(rf"log lines? {_NAMES}", PAGES["explanation/failures.md"])))))
PIECES = re.findall(r"^```python\n(.*?)^```$", "\n".join(PAGES.values()), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one(command: str) -> None:
    arguments = shlex.split(command)
    if "--help" in arguments:
        arguments.remove("--help")
        arguments.append("list")
    assert callable(_parsed(arguments).run)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_one(code: str) -> None:
    assert code in set(Code)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_one(setting: str) -> None:
    assert {setting.lower(), setting.removesuffix("_FILE").lower()} & {*Settings.__struct_fields__}


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_of_the_doctor_is_one(finding: str) -> None:
    assert finding in set(_checks())


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_runbook(alert: str) -> None:
    assert f"### {alert}\n" in (ROOT / "docs" / "how-to" / "runbooks.md").read_text()


@pytest.mark.parametrize("line", LINES)
def test_a_log_line_is_written_somewhere(line: str) -> None:
    assert any(f'"{line}"' in path.read_text() for part in ("adapters", "api", "workers", "cli") for path in (ROOT / part).rglob("*.py"))


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_a_piece_of_code_runs(piece: str) -> None:
    exec(compile(piece, "page.md", "exec"), {"__name__": __name__})  # noqa: S102 - our own words


def test_there_are_some_of_each() -> None:
    assert min(len(COMMANDS), len(CODES), len(FINDINGS)) > 15
    assert min(len(ALERTS), len(LINES)) > 5
    assert min(len(SETTINGS), len(PIECES)) > 0


def _checks() -> Iterator[str]:
    """Give the texts that the modules of the doctor are called with: a finding's name is one of them."""
    for path in (ROOT / "cli").glob("*checks.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                given = [*node.args, *(word.value for word in node.keywords)]
                yield from (each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str))
