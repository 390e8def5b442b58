"""The folder that processes write their metrics to, at a start."""

import os
from pathlib import Path

import pytest

from adapters.metrics_server import FOLDER_VARIABLE, prepare_folder


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")


def test_a_start_begins_with_an_empty_folder_and_leaves_none_behind(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    for _ in range(2):
        prepare_folder(folder)
        assert list(folder.iterdir()) == []
        (folder / "counter_1.db").write_bytes(b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["metrics"]
    assert os.environ[FOLDER_VARIABLE] == str(folder)


def test_a_process_of_before_that_still_writes_keeps_nobody_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "metrics"
    prepare_folder(folder)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # what is written to meanwhile cannot be removed
    (folder / "counter_1.db").write_bytes(b"x")
    prepare_folder(folder)
    assert list(folder.iterdir()) == []
