"""`minos bench soak`: what it does, and that it would say so if anything was lost."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from bench import report
from bench.running import Running
from bench.soak.acknowledged import Acknowledged, against
from bench.soak.answers import NONE, Answers
from bench.soak.course import Seen
from bench.soak.faults import FAULTS, QUICK
from bench.soak.log_so_far import differs
from bench.soak.outcome import Outcome
from bench.soak.page import page
from bench.soak.picture import draw
from tests.seldom import seldom

ADA = "user-01900000-0000-7000-8000-000000000001"
SESSION = "session-01900000-0000-7000-8000-000000000002"


def row(kind: str, stream: str, **payload: object) -> Mapping[str, Any]:
    return {"type": kind, "stream": stream, "payload": msgspec.json.encode(payload)}


REGISTERED, GIVEN, TAKEN = row("user.registered.v1", ADA), row("user.role_granted.v1", ADA), row("user.role_revoked.v1", ADA)
FIRST, SECOND = (row("session.token_issued.v1", SESSION, generation=n) for n in (1, 2))
REUSED = row("session.refresh_reused.v1", SESSION)


def told() -> Acknowledged:
    told = Acknowledged()
    told.done("user.registered.v1", ADA)
    told.done("session.token_issued.v1", SESSION, 2)
    told.refused.add(("user.suspended.v1", ADA, 0))
    told.roles[ADA.removeprefix("user-")] = True
    return told


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([REGISTERED, FIRST, SECOND, GIVEN], ""),
        ([FIRST, SECOND, GIVEN], "user.registered.v1"),
        ([REGISTERED, REGISTERED, SECOND, GIVEN], "is there 2 times"),
        ([REGISTERED, FIRST, GIVEN], "session.token_issued.v1"),
        ([REGISTERED, SECOND, GIVEN, row("user.suspended.v1", ADA)], "was refused"),
        ([REGISTERED, SECOND, GIVEN, TAKEN], "holds the role: False"),
        ([REGISTERED, SECOND, GIVEN, REUSED], "thief"),
    ],
    ids=["all there", "lost", "twice", "another generation", "refused and done", "role", "thief"],
)
def test_what_clients_were_told_and_the_log_has_not_is_found(events: Sequence[Mapping[str, Any]], found: str) -> None:
    differing = against(told(), events)
    assert len(differing) == bool(found)
    assert not found or found in differing[0]


def test_a_session_that_was_refreshed_too_late_may_end_as_stolen() -> None:
    late = told()
    late.late.add(SESSION.removeprefix("session-"))
    assert against(late, [REGISTERED, SECOND, GIVEN, REUSED]) == []


def test_what_a_subscriber_saw_elsewhere_is_found() -> None:
    ids = [msgspec.convert(f"01900000-0000-7000-8000-00000000000{n}", type=UUID) for n in range(3)]
    assert differs(ids[:2], ids) == []
    assert differs([ids[0], ids[2]], ids) == ["a subscriber saw another event at 2"]


def test_answers_are_counted_by_when_they_came() -> None:
    answers = Answers()
    for status in (200, 503, NONE, 401):
        answers.note(0.0, status)
    low, high = answers.all[0].at, answers.all[-1].at + 1
    window = answers.between(low, high)
    assert (window.statuses, window.failed) == ({"none": 1, "200": 1, "401": 1, "503": 1}, 2)
    assert not answers.succeed_since(0.0, 1)
    assert answers.per_second(low, 1) == [(2, 2)]


def outcome(**changed: Any) -> Outcome:
    seen = Seen(name="nats", title="kill -9: NATS", harm_s=0.5, answered_s=0.1, steady_s=3.0, ready={"200": 12})
    skipped = Seen(name="disk_slow", title="disk 200 ms late", skipped="there is no strace")
    fields: dict[str, Any] = {
        "circumstances": report.circumstances(quick=True), "seed": 7, "minutes": 1, "clients": 8, "disk": "ext4",
        "requests": 3, "failed": 1, "acknowledged": {"user.registered.v1": 1}, "events": 9, "faults": [seen, skipped],
        "checks": {"all": ""}, "service_accepted": 1, "service_refused": 1, "longest_revocation_s": 0.2, "wrong": [],
        "seconds": [(3, 0), (0, 1)],
    }  # fmt: skip
    return Outcome(**{**fields, **changed})


def test_the_page_says_what_was_not_done_and_why(tmp_path: Path) -> None:
    written = page(outcome())
    assert "Nothing acknowledged was lost" in written
    assert "| 2 | disk 200 ms late | not done: there is no strace |" in written
    draw(tmp_path / "soak.svg", outcome())
    assert (tmp_path / "soak.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "changed",
    [
        {"wrong": ["a service accepted what was over"]},
        {"checks": {"every read model is a fresh fold": "2 rows of users are not what the log folds to"}},
        {"faults": [Seen(name="nats", title="NATS", lost=["user.registered.v1"])]},
        {"faults": [Seen(name="nats", title="NATS", skipped_events=["position 7 follows 5"])]},
        {"faults": [Seen(name="nats", title="NATS", wrong=["not well again within 90 s"])]},
    ],
    ids=["answers", "checks", "lost", "skipped", "not well"],
)
def test_a_soak_in_which_anything_was_found_is_not_whole(changed: Mapping[str, Any]) -> None:
    assert outcome().is_whole
    assert not outcome(**changed).is_whole
    assert "Not all is as it has to be" in page(outcome(**changed))


def test_faults_have_names_of_their_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)
    assert set(QUICK) < set(names)


@seldom
@pytest.mark.timeout(240)
async def test_a_quick_soak_loses_nothing_and_writes_down_what_it_saw(tmp_path: Path) -> None:
    done = await Running(tmp_path).minos("bench", "soak", "--quick", "--json", "--seed", "7", "--out", str(tmp_path / "out"), within=220)
    assert done.code == 0, done.err + done.out
    said = json.loads(done.out)
    assert [seen["name"] for seen in said["faults"]] == list(QUICK)
    assert all(seen["during"]["failed"] for seen in said["faults"] if seen["name"] == "postmaster"), "this run shows nothing"
    assert {"user.registered.v1", "session.started.v1"} <= said["acknowledged"].keys()
    assert said["service_refused"] > 0
    assert not any(said["checks"].values())
    assert "## What was done, and what was seen" in (tmp_path / "out" / "soak.md").read_text()
    assert (tmp_path / "out" / "soak.svg").exists()
