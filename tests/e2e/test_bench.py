"""The bench works: every figure of its table is measured. What the figures are is not asked here."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.arguments import PARTS, RUNS
from bench.goals import GOALS
from bench.running import Running

INSIDE: tuple[str, ...] = ("store", "rebuild", "audit", "past", "hops", "passwords", "sdk")
OUTSIDE: tuple[str, ...] = ("http", "limits", "revocations", "start")
"""On whole authorities: their turn is when everything is tested, with MINOS_TEST_EVERYTHING set."""
_OF_INSIDE = (
    "append_", "tree_", "checkpoint_", "sequenc", "full_", "nats_", "projection_",
    "rebuild_", "replay_", "verify", "export", "who_can_", "breach_", "password_", "users_", "check_", "revocations_",
)  # fmt: skip
FIGURES: Mapping[tuple[str, ...], set[str]] = {
    parts: {key for key in GOALS if key.startswith(_OF_INSIDE) is (parts is INSIDE)} for parts in (INSIDE, OUTSIDE)
}


async def quickly_measured(folder: Path, parts: Sequence[str]) -> Mapping[str, Any]:
    done = await Running(folder).minos("bench", *parts, "--quick", "--json", "--out", str(folder / "out"), within=150)
    assert done.code == 0, done.err
    figures = {figure["key"]: figure for figure in json.loads(done.out)["figures"]}
    assert all(figure["rounds"] for figure in figures.values())
    assert (folder / "out" / "benchmarks.svg").read_text().startswith("<svg")
    assert "| what | measured |" in (folder / "out" / "benchmarks.md").read_text()
    return figures


def test_each_part_is_measured_by_one_of_the_two() -> None:
    assert sorted(INSIDE + OUTSIDE) == sorted(PARTS)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("parts", FIGURES, ids=["inside", "outside"])
async def test_quick_bench_measures_every_figure_and_writes_them_down(own_folder: Path, parts: tuple[str, ...]) -> None:
    if parts is OUTSIDE and not os.environ.get("MINOS_TEST_EVERYTHING"):
        pytest.skip("is measured with MINOS_TEST_EVERYTHING set, as `just coverage` does")
    assert (await quickly_measured(own_folder, parts)).keys() == FIGURES[parts]


async def test_part_that_there_is_not_is_refused_by_name(own_folder: Path) -> None:
    done = await Running(own_folder).minos("bench", "everything")
    assert (done.code, done.err) == (
        2,
        f"minos: there is no part everything; there are {', '.join((*PARTS, *RUNS))}\n",
    )
