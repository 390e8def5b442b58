"""What an installation needs follows from what was measured; how fast anything is, is not asked here."""

import shutil
from pathlib import Path

import pytest

from bench import report
from bench.goals import GOALS, Rounds
from bench.growth.measuring import FULL
from bench.peers import figures as peers
from bench.report import PARTS
from cli.server_checks import OF_AN_API_PROCESS, OF_THE_WORKERS
from docs.console.authority import ROOT
from docs.generator import installation, runs, sizing, speed
from docs.generator.installation import demand, need
from docs.generator.measured import REFERENCE

COSTS = {
    "logins": {"api": 40.0, "postgres": 4.0, "nats": 1.0, "workers": 2.0},
    "refreshes": {"api": 0.6, "postgres": 0.3, "nats": 0.1, "workers": 0.2},
    "sessions": {"api": 0.1, "postgres": 0.0, "nats": 0.0, "workers": 0.0},
    "me": {"api": 0.3, "postgres": 0.0, "nats": 0.0, "workers": 0.0},
}


def test_cores_are_rates_times_what_one_answer_takes() -> None:
    asked = demand(120_000)
    assert asked.per_second == {"logins": 10.0, "refreshes": 40.0, "sessions": 200.0, "me": 40.0}
    busy = need(asked, COSTS, PARTS)
    assert {part: round(cores, 6) for part, cores in busy.cores.items()} == {
        "api": 0.456,
        "postgres": 0.052,
        "nats": 0.014,
        "workers": 0.028,
    }
    assert busy.cores_to_have == 2


def test_of_each_program_one_may_die() -> None:
    few = need(demand(10), COSTS, PARTS)
    assert few.api_processes == 2
    assert few.connections >= 2 * OF_AN_API_PROCESS + 2 * OF_THE_WORKERS


def test_processes_and_connections_grow_with_who_signs_in() -> None:
    many = need(demand(1_200_000), COSTS, PARTS)
    assert many.api_processes == 10
    assert many.connections == 350


def test_disk_is_left_out_where_it_was_not_measured(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "benchmarks.json", tmp_path)
    assert "## Disk and memory" not in sizing.page(tmp_path)


def test_a_run_is_shown_with_its_last_output_once_there_is_one(tmp_path: Path) -> None:
    assert "](soak.md)" not in runs.page(tmp_path)
    (tmp_path / "soak.json").write_text(
        '{"circumstances": {"taken_at": "2026-11-26T12:00:00Z", "cores": 2, "processor": "one"}, "lost": []}'
    )
    assert "[soak](soak.md): 2026-11-26, 2 cores, one" in runs.page(tmp_path)


def test_the_guide_counts_connections_as_the_table_does() -> None:
    guide = (ROOT / "docs" / "how-to" / "size-an-installation.md").read_text()
    assert f"API processes x {OF_AN_API_PROCESS} + minos work x {OF_THE_WORKERS} + {installation.OTHERS}" in guide


def test_whatever_falls_short_of_its_aim_is_explained() -> None:
    """Any figure may, in the next run: a run that took an hour must not end without its page."""
    of_sizes = {"10x_worst", "10x_median", "100x_worst", "100x_median", f"locks_{FULL.sizes[-1]}"}
    keys = {key for key, goal in {**GOALS, **peers.GOALS}.items() if goal.aim is not None} | of_sizes
    assert all(all(speed.limit(key)) for key in keys)
    with pytest.raises(KeyError):
        speed.limit("that_no_run_has")


def test_only_what_falls_short_is_listed(tmp_path: Path) -> None:
    rounds = Rounds()
    rounds.add(append_128=20_000.0, append_p99=4.0, append_1=1_000.0)
    report.write(tmp_path, rounds.figures(), {}, report.circumstances(quick=True))
    page = speed.page(tmp_path)
    assert "| durable single-event commands, 128 callers | 20,000 1/s | 10,000 | 25,000 | Python, PostgreSQL |" in page
    assert "p99" not in page
    assert "1 caller" not in page
