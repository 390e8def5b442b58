"""The file of attributes is taken whole or not at all, and says everything that is wrong with it."""

from pathlib import Path

import pytest

from adapters.attributes_file import BadAttributes, load
from domain.attributes import Kind, Rule, Writer


def given(folder: Path, text: str) -> Path:
    path = folder / "attributes.toml"
    path.write_text(text)
    return path


def test_without_a_file_there_are_none() -> None:
    assert load(None) == {}


def test_each_table_is_an_attribute(tmp_path: Path) -> None:
    text = '[team]\nkind = "string"\nchoices = ["red", "blue"]\n[motto]\nkind = "string"\nwritable_by = "owner"\nmax_length = 40\n'
    assert load(given(tmp_path, text)) == {
        "team": Rule(kind=Kind.STRING, choices=("red", "blue")),
        "motto": Rule(kind=Kind.STRING, writable_by=Writer.OWNER, max_length=40),
    }


@pytest.mark.parametrize(
    "text",
    [
        "[team",
        '[Team]\nkind = "string"',
        '[team]\nkind = "map"',
        "[team]",
        'team = "string"',
        '[team]\nkind = "string"\nwriteable_by = "owner"',
        '[team]\nkind = "string"\nmax_length = 100000',
        '[level]\nkind = "integer"\nchoices = ["1"]',
        "".join(f'[a{n}]\nkind = "string"\n' for n in range(65)),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadAttributes, match="MINOS_ATTRIBUTES_FILE"):
        load(given(tmp_path, text))


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadAttributes) as refused:
        load(given(tmp_path, '[a]\nkind = "map"\n[b]\n'))
    assert [problem.split(": ")[1] for problem in refused.value.problems] == ["[a]", "[b]"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAttributes, match="nowhere"):
        load(tmp_path / "nowhere.toml")
