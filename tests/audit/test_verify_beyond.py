"""What whoever owns the database puts beside the log, where nothing of it is looked for."""

import pytest

from tests.audit.conftest import SIZE, Audited
from workers.audit.findings import Kind


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE log_head SET epoch = 2", Kind.POSITIONS_BROKEN),
        ("UPDATE log_runs SET n = n + 1", Kind.POSITIONS_BROKEN),
        ("INSERT INTO log_tiles SELECT 0, 2, hashes, root FROM log_tiles WHERE tile = 0", Kind.TILE_CHANGED),
        ("INSERT INTO log_tiles SELECT 1, 0, hashes, root FROM log_tiles WHERE tile = 0", Kind.TILE_CHANGED),
        ("INSERT INTO log_times SELECT 2, latest FROM log_times WHERE tile = 1", Kind.TIME_DIFFERS),
        ("INSERT INTO log_times SELECT -1, latest FROM log_times WHERE tile = 0", Kind.TIME_DIFFERS),
        ("INSERT INTO log_checkpoints SELECT 7, 9, root, note FROM log_checkpoints WHERE size = 300", Kind.CHECKPOINT_BROKEN),
        ("UPDATE log_checkpoints SET epoch = 0 WHERE size = 300", Kind.CHECKPOINT_BROKEN),
        ("UPDATE log_checkpoints SET root = '' WHERE size = 300", Kind.CHECKPOINT_BROKEN),
        ("UPDATE log_checkpoints SET cosigned = note, note = 'x' WHERE size = 300", Kind.CHECKPOINT_BROKEN),
        ("UPDATE log_tiles SET hashes = hashes || '\\x00' WHERE tile = 1", Kind.TILE_CHANGED),
        ("UPDATE log_tiles SET hashes = '' WHERE tile = 0", Kind.TILE_CHANGED),
    ],
)
async def test_attack_a_row_that_nothing_of_the_log_leads_to(falsified: Audited, statement: str, kind: Kind) -> None:
    statement = statement.replace("root, note FROM", "root, note, NULL, signed_at FROM")
    checks = await falsified.value(
        "SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), '; ') FROM pg_constraint "
        "WHERE contype = 'c' AND conrelid IN ('log_times'::regclass, 'log_checkpoints'::regclass, 'log_tiles'::regclass)"
    )
    await falsified.as_owner(str(checks), statement)
    report = await falsified.verify(read_models=False)
    assert {each.kind for each in report.findings} == {kind}
    assert report.size == SIZE
