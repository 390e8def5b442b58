"""Rows that no comparison of a stream with its own row meets: elsewhere in the order, twice, or behind where a read model says it is."""

import pytest

from tests.audit.conftest import SIZE, Audited
from workers.audit import stream_pages
from workers.audit.findings import Kind

SOME = "(SELECT {}(stream) FROM heads WHERE stream LIKE '{}-%')"


async def table(log: Audited, model: str) -> str:
    return str(await log.value(f"SELECT format('read.%I', relname) FROM pg_class WHERE relname ~ '^{model}_v[0-9]+_g1$' AND relkind = 'r'"))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_pages, "EVENTS", 25)


async def test_an_honest_log_holds_page_by_page(audited: Audited) -> None:
    report = await audited.verify()
    assert (report.findings, report.remarks) == ((), [])


@pytest.mark.parametrize("stream", ["''", "'attic-1'", "'zzz-1'", "chr(1114111) || chr(1114111)", SOME.format("max", "user")])
@pytest.mark.parametrize("model", ["sessions", "signed_in"])
async def test_attack_a_row_of_a_stream_of_another_kind(falsified: Audited, model: str, stream: str) -> None:
    of = await table(falsified, model)
    await falsified.as_owner(f"UPDATE {of} SET stream = {stream} WHERE stream = {SOME.format('min', 'session')}")
    report = await falsified.verify()
    assert {(each.kind, each.model) for each in report.findings} == {(Kind.READ_MODEL_DIFFERS, model)}
    wrong = await falsified.value(f"SELECT {stream}")
    assert wrong in {each.stream for each in report.findings}


@pytest.mark.parametrize("model", ["users", None])
async def test_attack_two_rows_of_one_stream(falsified: Audited, model: str | None) -> None:
    of = "heads" if model is None else await table(falsified, model)
    await falsified.as_owner(
        f"CREATE TABLE of_all AS TABLE {of}",
        f"DROP TABLE {of}",
        f"ALTER TABLE of_all RENAME TO {of.rpartition('.')[2]}",
        f"GRANT SELECT ON {of.rpartition('.')[2]} TO minos_app",
        *(() if model is None else (f"ALTER TABLE {of.rpartition('.')[2]} SET SCHEMA read",)),
        f"INSERT INTO {of} SELECT * FROM {of} WHERE stream = {SOME.format('min', 'user')}",
    )
    report = await falsified.verify()
    kind = Kind.HEAD_DIFFERS if model is None else Kind.READ_MODEL_DIFFERS
    assert {(each.kind, each.model) for each in report.findings} == {(kind, model)}
    assert any("several" in each.words for each in report.findings)


async def test_attack_periods_that_hang_where_nobody_finds_them(falsified: Audited) -> None:
    of = await table(falsified, "rights")
    await falsified.as_owner(f"ALTER TABLE {of} ALTER fork DROP EXPRESSION", f"UPDATE {of} SET fork = 1 WHERE from_position = 1")
    report = await falsified.verify()
    assert {(each.kind, each.model) for each in report.findings} == {(Kind.READ_MODEL_DIFFERS, "rights")}


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("UPDATE projection_state SET position = 40 WHERE name = '{}'", 40),
        ("UPDATE projection_state SET slot_to = 62 WHERE name = '{}'", 0),
        ("UPDATE projection_state SET slot_from = 1 WHERE name = '{}'", 0),
        ("INSERT INTO projection_state SELECT name, version, 60, 63, 90, epoch, status FROM projection_state WHERE name = '{}'", 90),
    ],
)
@pytest.mark.parametrize("model", ["sessions", "audit_events"])
async def test_attack_a_read_model_that_says_it_is_behind(falsified: Audited, model: str, statement: str, position: int) -> None:
    await falsified.as_owner(statement.format(model), f"DELETE FROM {await table(falsified, model)} WHERE version = 10")
    report = await falsified.verify()
    assert any(f"{model} says that it has come to position {position}:" in each for each in report.remarks)


async def test_attack_a_changed_row_of_a_journal_that_says_it_is_behind(falsified: Audited) -> None:
    of = await table(falsified, "audit_events")
    await falsified.as_owner(
        "UPDATE projection_state SET position = 0 WHERE name = 'audit_events'", f"UPDATE {of} SET type = 'x' WHERE position = {SIZE}"
    )
    report = await falsified.verify()
    assert [(each.kind, each.model, each.position) for each in report.findings] == [(Kind.READ_MODEL_DIFFERS, "audit_events", SIZE)]
