"""What a setting names is read where it is a plain file of a sensible size: nobody waits for a pipe, or takes in a disk."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import plain_file
from adapters.settings_source import BadSettings, load

NAMED = ["MINOS_LIMITS_FILE", "MINOS_ATTRIBUTES_FILE", "MINOS_LOG_POLICY", "MINOS_NATS_CREDENTIALS", "MINOS_MASTER_KEY_FILE"]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nothing(path: Path) -> None:
    """It went while it was looked for."""


@pytest.mark.parametrize("put", [pipe, folder, device, nothing])
@pytest.mark.parametrize("name", NAMED)
def test_what_is_none_is_refused_and_not_waited_for(tmp_path: Path, name: str, put: Callable[[Path], None]) -> None:
    given = tmp_path / "given"
    put(given)
    with pytest.raises(BadSettings) as refused:
        load({name: str(given)}, tmp_path)
    assert name in refused.value.problems[0] or str(given) in refused.value.problems[0]


def test_one_byte_too_many_is_refused(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"x" * 1024)
    assert plain_file.small(given, most=1024) == b"x" * 1024
    with pytest.raises(plain_file.TooLarge, match="larger than"):
        plain_file.small(given, most=1023)


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    """As secrets are mounted."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "level").write_text("debug")
    (tmp_path / "level").symlink_to("..data/level")
    assert load({"MINOS_LOG_LEVEL_FILE": "level"}, tmp_path).settings.log_level == "debug"
