"""What decisions and lists are made from is what the events say: `minos audit verify` folds each stream anew and compares."""

import pytest

from tests.audit.conftest import Audited
from workers.audit.findings import Kind

STREAM = "(SELECT min(stream) FROM heads WHERE stream LIKE '{}-%')"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE heads SET version = version + 1", "is at version 11, its events end at 10"),
        ("UPDATE heads SET state = set_byte(state, 40, get_byte(state, 40) # 1)", "is not what its 10 events fold to"),
        ("DELETE FROM heads", "has 10 events and no head"),
        ("UPDATE heads SET stream = stream || '0'", "of a stream without events"),
    ],
)
async def test_a_changed_head(falsified: Audited, change: str, words: str) -> None:
    await falsified.as_owner(f"{change} WHERE stream = {STREAM.format('user')}")
    report = await falsified.verify()
    assert {each.kind for each in report.findings} == {Kind.HEAD_DIFFERS}
    assert any(words in each.words for each in report.findings)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("sessions", "UPDATE {} SET generation = generation + 1 WHERE stream = {stream}"),
        ("sessions", "DELETE FROM {} WHERE stream = {stream}"),
        ("sessions", "UPDATE {} SET version = 3 WHERE stream = {stream}"),
        ("sessions", "UPDATE {} SET stream = stream || '0' WHERE stream = {stream}"),
        ("audit_events", "UPDATE {} SET actor = 'user:innocent' WHERE position = 44"),
        ("audit_events", "DELETE FROM {} WHERE position = 44"),
        ("audit_events", "UPDATE {} SET position = 1000 WHERE position = 44"),
        ("user_history", "UPDATE {} SET actor = 'user:innocent' WHERE position = 1"),
        ("user_history", "UPDATE {} SET reason = 'import' WHERE position = 1"),
        ("user_history", "UPDATE {} SET stream = stream || '0' WHERE position = 1"),
        ("user_history", "UPDATE {} SET network = 'x' WHERE position = 11"),
        ("user_history", "DELETE FROM {} WHERE position = 1"),
        ("user_history", "UPDATE {} SET position = 12 WHERE position = 1"),
        ("users", "UPDATE {} SET roles = roles || '{{admin}}' WHERE stream = (SELECT min(stream) FROM heads WHERE stream LIKE 'user-%')"),
        ("users", "UPDATE {} SET email = set_byte(email, 9, get_byte(email, 9) # 1)"),
        ("sessions", "UPDATE {} SET ended_at = started_at WHERE stream = {stream}"),
        ("signed_in", "UPDATE {} SET to_position = from_position + 1, to_at = from_at, to_event = from_event WHERE stream = {stream}"),
        ("signed_in", "DELETE FROM {} WHERE stream = {stream}"),
    ],
)
async def test_a_changed_row_of_a_read_model(falsified: Audited, model: str, change: str) -> None:
    table = await falsified.value(
        f"SELECT format('read.%I', relname) FROM pg_class WHERE relname ~ '^{model}_v[0-9]+_g1$' AND relkind = 'r'"
    )
    await falsified.as_owner(change.format(table, stream=STREAM.format("session")))
    report = await falsified.verify()
    assert {(each.kind, each.model) for each in report.findings} == {(Kind.READ_MODEL_DIFFERS, model)}


@pytest.mark.parametrize(
    ("statement", "remark"),
    [
        (
            "INSERT INTO projection_parked SELECT name, version, {stream}, 1, 'x' FROM projection_active WHERE name = 'sessions'",
            "of 1 streams",
        ),
        (
            "UPDATE projection_state SET status = 'retired' WHERE name = 'sessions'; DELETE FROM projection_active WHERE name = 'sessions'",
            "is served by no table",
        ),
    ],
    ids=["parked", "served by none"],
)
async def test_attack_a_read_model_kept_from_being_compared(falsified: Audited, statement: str, remark: str) -> None:
    await falsified.as_owner(statement.format(stream=STREAM.format("session")))
    report = await falsified.verify()
    assert [each for each in report.remarks if remark in each and "sessions" in each and "not compared" in each]


async def test_attack_a_history_that_no_fold_can_make_anything_of(falsified: Audited) -> None:
    """It is told where, and what else is wrong is told all the same: which entry it was, as long as it is in a tile that is full."""
    full = "SELECT stream FROM event_log WHERE stream LIKE 'user-%' AND version = 1 AND position <= 512 ORDER BY position LIMIT 1"
    stream = await falsified.value(full)
    third = f"(SELECT {{}} FROM events WHERE stream = '{stream}' AND version = 3)"
    first = f"WHERE stream = '{stream}' AND version = 1"
    await falsified.as_owner(
        f"UPDATE events SET type = {third.format('type')}, payload = {third.format('payload')} {first}",
        f"DELETE FROM heads WHERE stream = {STREAM.format('session')}",
    )
    report = await falsified.verify()
    broken = [each for each in report.findings if each.kind is Kind.ENTRY_BROKEN]
    assert [(each.stream, each.version) for each in broken] == [(stream, 1)]
    assert "cannot be folded" in broken[0].words
    assert Kind.HEAD_DIFFERS in report.counts
    assert Kind.ENTRY_CHANGED in report.counts
