"""What the command line says of errors: words that tell an operator what to mend."""

import os
from pathlib import Path

import asyncpg
import pytest

from cli.command import COULD_NOT
from cli.explained import explained
from cli.main import main


@pytest.fixture
def of_another(tmp_path: Path) -> Path:
    """A folder that is not ours."""
    if os.geteuid() != 0:
        return Path("/etc")
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 65_534, 65_534)
    return folder


def test_what_belongs_to_another_user_is_said_to(of_another: Path) -> None:
    for path in (of_another, of_another / "lock"):
        said = explained(PermissionError(13, "Permission denied", path))
        assert said is not None
        assert said.startswith(f"no permission for {path}: it belongs to ")
        assert "sudo" in said


def test_what_is_our_own_is_blamed_on_nobody(tmp_path: Path) -> None:
    assert "belongs to" not in (explained(PermissionError(13, "Permission denied", str(tmp_path / "lock"))) or "")
    assert "belongs to" not in (explained(PermissionError(13, "Permission denied")) or "")


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert explained(KeyError("x")) is None


def test_a_file_that_cannot_be_opened_is_named_before_the_reason(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - any error of a file
        (tmp_path / "users.jsonl").open()
    assert explained(caught.value) == f"{tmp_path / 'users.jsonl'}: No such file or directory"


def test_a_full_disk_says_so_where_no_file_is_named() -> None:
    assert explained(OSError(28, "No space left on device")) == "No space left on device"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "Connect call failed ('127.0.0.1', 1)"),
        (TimeoutError(), "no answer in time"),
        (
            asyncpg.InvalidPasswordError('password authentication failed for user "x"\nHINT: more'),
            'password authentication failed for user "x"',
        ),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_a_server_that_is_away_or_refuses_is_said_in_words(error: Exception, words: str) -> None:
    assert explained(error) == words


@pytest.mark.parametrize("action", ["verify", "export"])
@pytest.mark.parametrize("url", ["nonsense", "http://host/x", "postgresql://:secret@host:notaport/x", ""])
def test_what_names_no_database_is_refused_and_not_repeated(capsys: pytest.CaptureFixture[str], action: str, url: str) -> None:
    assert main(["audit", action, *(["folder"] if action == "export" else []), "--database", url]) == COULD_NOT
    said = capsys.readouterr().err
    assert "--database: expected postgresql://" in said
    assert "secret" not in said
