"""Temporary folders that a kill left behind are removed by the next start, and nothing else is."""

import os
import tempfile
from pathlib import Path

import pytest

from adapters.children import hold_folder
from adapters.metrics_folder import PREFIX, own_metrics_folder
from adapters.metrics_server import FOLDER_VARIABLE
from adapters.scratch import scratch, sweep


@pytest.fixture
def among(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    return tmp_path


def made(among: Path, name: str) -> Path:
    """As a start of long ago left it."""
    folder = among / f"{PREFIX}{name}"
    folder.mkdir()
    (folder / "counter_1.db").touch()
    return folder


def aged(folder: Path) -> None:
    os.utime(folder, (1, 1))


def test_what_a_kill_left_behind_goes_with_the_next_start(among: Path) -> None:
    left = made(among, "left")
    aged(left)
    own = own_metrics_folder()
    assert sorted(among.iterdir()) == [own]


def test_what_is_in_use_stays(among: Path) -> None:
    used = made(among, "used")
    held = hold_folder(used)
    aged(used)
    own_metrics_folder()
    os.close(held)
    assert (used / "counter_1.db").exists()


def test_what_was_just_made_stays(among: Path) -> None:
    young = made(among, "young")
    own_metrics_folder()
    assert (young / "counter_1.db").exists()


def test_attack_a_link_to_somebody_elses_folder_is_let_alone(among: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").touch()
    aged(elsewhere)
    link = among / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    own_metrics_folder()
    assert (sorted(each.name for each in elsewhere.iterdir()), link.is_symlink()) == (["kept"], True)


def test_scratch_is_held_while_it_is_used_and_takes_away_what_a_kill_left(among: Path) -> None:
    aged(made(among, "left"))
    with scratch(PREFIX) as own:
        assert list(among.iterdir()) == [own]
        aged(own)
        sweep(PREFIX)
        assert own.exists()
    assert list(among.iterdir()) == []
