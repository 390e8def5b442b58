"""The version before the newest migration is found in the history, where there is one."""

from pathlib import Path

import pytest

from bench.cluster.programs import environment
from bench.cluster.versions import NoVersionBefore, this_version, version_before


def test_the_version_before_is_one_migration_older_and_is_told_nothing_that_it_does_not_know(tmp_path: Path) -> None:
    newest = this_version()
    try:
        before = version_before(tmp_path)
    except NoVersionBefore as why:
        pytest.skip(str(why))
    assert before.level == newest.level - 1
    assert (tmp_path / "cli" / "main.py").exists()
    given = environment(before, {"database_url": "postgresql://x", "master_key_file": "/x", "setting_of_the_day_after": "1"})
    assert {"MINOS_DATABASE_URL", "MINOS_MASTER_KEY_FILE"} <= given.keys()
    assert "MINOS_SETTING_OF_THE_DAY_AFTER" not in given
