"""Tables for people: what somebody chose to be called does not steer their terminal."""

import pytest
from msgspec import Struct

from cli.printing import print_rows


class Row(Struct):
    name: str
    attributes: dict[str, object]


def test_a_row_stays_one_row_without_a_colour(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([Row("\x1b[31mred\r\nroot  admin\u202e", {"badges": ["a", "b\x1b"]})], as_json=False)
    header, row, *more = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "attributes"]
    assert row == '\ufffd[31mred\ufffd\ufffdroot  admin\ufffd  {"badges":["a","b\\u001b"]}'
    assert more == []


class Nested(Struct):
    inner: Row
    count: int


def test_what_is_in_a_field_has_columns_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([Nested(Row("ada", {}), 3)], as_json=False)
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "attributes", "count"]
    assert row.split() == ["ada", "{}", "3"]
