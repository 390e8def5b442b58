"""What is told to do exists: every command parses, every code is one, every setting is one; every piece of code in these pages runs."""

import re
import shlex

import pytest

from adapters.settings import Settings
from cli.main import _parsed
from docs.console.authority import ROOT
from minos_sdk import Code

PAGES = {
    name: (ROOT / "docs" / name).read_text()
    for name in ("how-to/troubleshoot.md", "how-to/adopt-in-a-service.md", "explanation/freshness.md")
}
COMMANDS = sorted({command for page in PAGES.values() for command in re.findall(r"`\./minos ([^`]+)`", page)})
CODES = sorted(set(re.findall(r"^\| `([a-z_]+)`", PAGES["how-to/troubleshoot.md"], re.MULTILINE)) - {"code", "doctor"})
SETTINGS = sorted({name for page in PAGES.values() for name in re.findall(r"`MINOS_([A-Z_]+)`", page)})
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
    assert setting.lower() in Settings.__struct_fields__


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_a_piece_of_code_runs(piece: str) -> None:
    exec(compile(piece, "page.md", "exec"), {"__name__": __name__})  # noqa: S102 - our own words


def test_there_are_some_of_each() -> None:
    assert min(len(COMMANDS), len(CODES)) > 15
    assert min(len(SETTINGS), len(PIECES)) > 0
