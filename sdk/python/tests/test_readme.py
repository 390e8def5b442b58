"""What the README shows runs as it stands; its files and commands are walked through by the documents' own test."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
async def test_each_piece_of_code_runs(snippet: str, request: pytest.FixtureRequest) -> None:
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(snippet, "README.md", "exec"), names)  # noqa: S102 - our own words
    for name, test in names.items():
        if name.startswith("test_"):
            await test(**{each: request.getfixturevalue(each) for each in inspect.signature(test).parameters})


def test_there_are_such_pieces() -> None:
    assert len(SNIPPETS) >= 4
