"""The bench works: every figure of its table is measured. What the figures are is not asked here."""

import json
from pathlib import Path

import pytest

from bench.goals import GOALS
from bench.running import Running


@pytest.mark.timeout(180)
async def test_quick_bench_measures_every_figure_and_writes_them_down(own_folder: Path) -> None:
    done = await Running(own_folder).minos("bench", "--quick", "--json", "--out", str(own_folder / "out"), within=150)
    assert done.code == 0, done.err
    figures = {figure["key"]: figure for figure in json.loads(done.out)["figures"]}
    assert figures.keys() == GOALS.keys()
    assert all(figure["rounds"] for figure in figures.values())
    assert (own_folder / "out" / "benchmarks.svg").read_text().startswith("<svg")
    assert "| what | measured |" in (own_folder / "out" / "benchmarks.md").read_text()


async def test_part_that_there_is_not_is_refused_by_name(own_folder: Path) -> None:
    done = await Running(own_folder).minos("bench", "everything")
    assert (done.code, done.err) == (
        2,
        "minos: there is no part everything; there are store, rebuild, hops, http, limits, revocations, sdk, passwords, start\n",
    )
