"""What a run of `minos bench cluster` says of itself."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.cluster.course import RESTART, Seen
from bench.cluster.page import Found, table, write
from bench.report import Circumstances

CALM = Seen(
    title=RESTART, began_s=0, harm_s=10, steady_s=11, answered=300, failed=0, statuses={"200": 300}, longest_without_s=0.2, failing_s=0,
    blind_s=0, refused_after_s=0.1,
)  # fmt: skip
FOUND = Found(
    circumstances=Circumstances(
        taken_at=datetime(2026, 1, 1, tzinfo=UTC), cores=2, processor="one", python="3.11", system="Linux", load_before=0.1, quick=False
    ),
    level=56, before="abc", no_upgrade="", faults=[CALM], checks={"every head is a fold": ""}, missing=[], wrong=[], pending=0, events=900,
    acknowledged=500, clients=6, per_second=25, hold_s=8, seconds=[(25, 0)] * 11,
)  # fmt: skip


def test_a_run_in_which_all_held_says_so(tmp_path: Path) -> None:
    write(tmp_path, FOUND)
    page = (tmp_path / "cluster.md").read_text()
    assert FOUND.holds
    assert f"| failed requests in {RESTART} | 0 | 0 |" in page
    assert "Not all held" not in page
    assert msgspec.json.decode((tmp_path / "cluster.json").read_bytes())["faults"][0]["answered"] == 300
    assert (tmp_path / "cluster.svg").read_text().startswith("<svg")
    assert "WRONG" not in table(FOUND)


def test_a_run_in_which_something_was_lost_says_what(tmp_path: Path) -> None:
    lost = msgspec.structs.replace(FOUND, missing=["user.registered.v1 of user-1 is there 0 times"])
    write(tmp_path, lost)
    page = (tmp_path / "cluster.md").read_text()
    assert not lost.holds
    assert "Not all held" in page
    assert "user.registered.v1 of user-1" in page
    assert not msgspec.structs.replace(FOUND, pending=1).holds
    assert not msgspec.structs.replace(FOUND, checks={"every head is a fold": "one is not"}).holds
    assert not msgspec.structs.replace(FOUND, faults=[msgspec.structs.replace(CALM, wrong="TimeoutError: ")]).holds
