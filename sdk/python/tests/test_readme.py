"""What the README shows runs as it stands; its files and commands are walked through by the documents' own test."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_each_piece_of_code_runs(snippet: str) -> None:
    exec(compile(snippet, "README.md", "exec"), {"__name__": __name__})  # noqa: S102 - our own words


def test_there_are_such_pieces() -> None:
    assert len(SNIPPETS) >= 4
