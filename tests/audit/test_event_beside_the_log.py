"""Whoever owns the database writes an event that never gets a position: decisions would follow from it, and no entry of the log says so."""

import pytest

from tests.audit.conftest import Audited
from workers.audit.findings import Kind
from workers.audit.verify import Report

BESIDE = """
    INSERT INTO events (append_id, xid, stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
    OVERRIDING SYSTEM VALUE VALUES ({id}, {xid}, 'user-beside', 1, 'user.reinstated.v1', 0, gen_random_uuid(), 'system', gen_random_uuid(),
                                    gen_random_uuid(), '{{}}')
"""
PRUNED = (
    '{{"at":"2026-01-01T00:00:00.000000Z","count":9,"first_position":1,"last_position":600,'
    '"older_than":"2026-01-01T00:00:00.000000Z","partition":0,"type":"log.pruned.v1"}}'
)
LOOKED_PAST = "pg_snapshot_xmin((SELECT snapshot FROM log_head))::text::bigint - 1"
IN_THE_FUTURE = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000"


def beside(report: Report) -> list[str | None]:
    return [each.stream for each in report.findings if each.kind is Kind.POSITIONS_BROKEN]


@pytest.mark.parametrize("id", [0, "(SELECT max(append_id) + 1 FROM events)"], ids=["before all", "behind all"])
@pytest.mark.parametrize("xid", [LOOKED_PAST, IN_THE_FUTURE], ids=["of a transaction that was looked past", "of one that there is not"])
async def test_attack_an_event_that_never_gets_a_position(falsified: Audited, id: object, xid: str) -> None:  # noqa: A002 - of the row
    await falsified.as_owner(BESIDE.format(id=id, xid=f"({xid})::text::xid8"))
    assert beside(await falsified.verify(read_models=False)) == ["user-beside"]


async def test_an_event_that_has_not_got_its_position_yet_is_no_finding(falsified: Audited) -> None:
    await falsified.as_owner(BESIDE.format(id="(SELECT max(append_id) + 1 FROM events)", xid="pg_current_xact_id()"))
    assert beside(await falsified.verify(read_models=False)) == []


async def test_attack_a_word_beside_the_log_that_hides_what_is_in_it(falsified: Audited) -> None:
    """What was pruned is said in the log, under its checkpoints, and nowhere else."""
    part = await falsified.value("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1 LIMIT 1")
    row = BESIDE.replace("'user-beside'", "'log'").replace("user.reinstated.v1", "log.pruned.v1").replace("'{{}}'", f"'{PRUNED}'")
    await falsified.as_owner(
        row.format(id=0, xid=f"({LOOKED_PAST})::text::xid8"),
        f"ALTER TABLE {part} DROP CONSTRAINT says_something",
        "UPDATE events SET payload = '' WHERE append_id = (SELECT min(append_id) FROM events WHERE type = 'session.token_issued.v1')",
    )
    assert beside(await falsified.verify(read_models=False)) == ["log"]
