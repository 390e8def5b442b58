"""What `minos bench` refuses before it measures anything. That it measures is asked in tests/e2e."""

from argparse import ArgumentParser
from pathlib import Path

import msgspec
import pytest

from bench.arguments import arguments
from bench.growth import run as growth
from bench.growth.filling import Filled
from cli.main import main


def refused(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    assert main(["bench", *given]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("given", ["-1", "0", "nan", "inf", "x"])
def test_a_soak_takes_some_minutes(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--minutes" in refused(capsys, "soak", "--minutes", given)


def test_parts_of_a_minute_are_minutes_too() -> None:
    assert arguments(ArgumentParser()).parse_args(["soak", "--minutes", "0.5"]).minutes == 0.5


@pytest.mark.parametrize("run", [["growth", "--quick"], ["soak", "--quick"], ["store", "--quick"]], ids=lambda run: run[0])
def test_where_nothing_can_be_written_nothing_is_measured(run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "file"
    there.touch()
    assert refused(capsys, *run, "--out", str(there)) == f"minos: {there}: File exists\n"


def filling(folder: Path, users: int) -> int:
    return growth.run(arguments(ArgumentParser()).parse_args(["growth", "--fill-only", "--users", f"{users}", "--data", str(folder)]))


def test_a_folder_is_filled_only_when_it_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").touch()
    for given in (tmp_path, tmp_path / "notes"):
        assert filling(given, 20) == 2
        assert f"{given} is no empty folder" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_folder_that_was_filled_with_others_is_not_taken_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / growth.KEPT).write_bytes(msgspec.json.encode(Filled(users=10, events=100, seconds={}, rebuilt={})))
    assert filling(tmp_path, 20) == 2
    assert "has 10 users already, not 20" in capsys.readouterr().err
    assert filling(tmp_path, 10) == 0
