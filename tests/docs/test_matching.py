"""The comparison is loose where runs differ and strict everywhere else: a document that is wrong has to fail."""

from pathlib import Path

import pytest

from docs.console.blocks import steps
from docs.console.matching import matches, shortened

ID, OTHER_ID = "0199aaaa-0000-7000-8000-000000000001", "0199bbbb-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (f'{{"user_id": "{ID}"}}', f'{{"user_id": "{OTHER_ID}"}}'),
        ("at 2026-11-22T00:00:00Z", "at 2026-12-01T10:11:12.123456Z"),
        ('"eyJhbGciOiJ…"', '"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOi.c2lnbmF0dXJl"'),
        ("mrt_0199aaaa…", f"mrt_{OTHER_ID}.3.1.c2VjcmV0"),
        ("postgres: running (0.25 s, pid 3925)", "postgres: running (1.30 s, pid 7)"),
        ("one\n...\nlast", "one\ntwo\nthree\nlast"),
        ("one\n...\nlast", "one\nlast"),
        ("position   7", "position 7"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out_of_account(shown: str, printed: str) -> None:
    assert matches(shown.splitlines(), printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ('{"allowed": true}', '{"allowed": false}'),
        ("200", "401"),
        ("one\n...\nlast", "one\ntwo"),
        ("one", "one\ntwo"),
        ("", "an error"),
        (f'{{"user_id": "{ID}"}}', '{"user_id": null}'),
        ('"roles": ["user"]', '"roles": ["admin"]'),
    ],
)
def test_anything_else_that_differs_is_a_fault(shown: str, printed: str) -> None:
    assert not matches(shown.splitlines(), printed)


def test_a_recorded_token_is_cut_short() -> None:
    assert shortened('{"access_token":"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRw.c2ln"}') == '{"access_token":"eyJhbGciOiJ…"}'


def test_blocks_are_read_as_commands_and_their_output(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("text\n\n```console\n$ one \\\n> more\nout\nput\n$ two\n```\n\n```sh\n$ not this\n```\n")
    first, second = steps(document)
    assert (first.command, first.expected, first.line) == ("one \\\nmore", ("out", "put"), 4)
    assert (second.command, second.expected) == ("two", ())
