"""The bench works: every figure of its table is measured. What the figures are is not asked here."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.arguments import PARTS, RUNS
from bench.goals import GOALS
from bench.running import Running
from tests.seldom import seldom

NOW: tuple[str, ...] = ("past",)
"""The cheapest one."""
_OF_NOW = ("who_can_",)


async def quickly_measured(folder: Path, parts: Sequence[str]) -> Mapping[str, Any]:
    done = await Running(folder).minos("bench", *parts, "--quick", "--json", "--out", str(folder / "out"), within=280)
    assert done.code == 0, done.err
    figures = {figure["key"]: figure for figure in json.loads(done.out)["figures"]}
    assert all(figure["rounds"] for figure in figures.values())
    assert (folder / "out" / "benchmarks.svg").read_text().startswith("<svg")
    assert "| what | measured |" in (folder / "out" / "benchmarks.md").read_text()
    return figures


async def test_a_part_measures_its_figures_and_writes_them_down(own_folder: Path) -> None:
    assert (await quickly_measured(own_folder, NOW)).keys() == {key for key in GOALS if key.startswith(_OF_NOW)}


@seldom
@pytest.mark.timeout(300)
async def test_quick_bench_measures_every_figure(own_folder: Path) -> None:
    assert (await quickly_measured(own_folder, PARTS)).keys() == GOALS.keys()


async def test_part_that_there_is_not_is_refused_by_name(own_folder: Path) -> None:
    done = await Running(own_folder).minos("bench", "everything")
    assert (done.code, done.err) == (
        2,
        f"minos: there is no part everything; there are {', '.join((*PARTS, *RUNS))}\n",
    )
