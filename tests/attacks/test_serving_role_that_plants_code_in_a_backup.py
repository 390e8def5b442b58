"""Whoever has the serving role's password makes tables and functions among the read models. A restore would run them, as who may do all."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from adapters.settings import Settings
from tests.backup.conftest import empty, furnished, leading_to, making, serving, settings
from tests.conftest import Database
from workers.backup.folder import backups
from workers.backup.making import CannotBackUp, make

__all__ = ["empty", "furnished", "serving", "settings"]

MIGHTY = """
CREATE FUNCTION read.mighty() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE minos_app SUPERUSER; END IF;
    RETURN true;
END $$
"""
PLANTED = {
    "function": ([MIGHTY, "CREATE TABLE read.planted (n integer CHECK (read.mighty()))", "INSERT INTO read.planted VALUES (1)"], "mighty"),
    "domain": (["CREATE DOMAIN read.sure AS integer CHECK (value > 0)", "CREATE TABLE read.planted (n read.sure)"], "sure"),
    "what-the-server-has": (["CREATE TABLE read.planted (n integer CHECK (pg_terminate_backend(n)))"], "planted"),
    "partition": (["CREATE TABLE read.planted (n integer) PARTITION BY LIST (n)"], "planted"),
    "row-security": (["CREATE TABLE read.planted (n integer)", "ALTER TABLE read.planted ENABLE ROW LEVEL SECURITY"], "planted"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANTED)
async def test_what_others_planted_is_in_no_backup(kind: str, settings: Settings, serving: Database, tmp_path: Path) -> None:
    statements, named = PLANTED[kind]
    await run(serving.app_url, statements)
    with pytest.raises(CannotBackUp, match=rf"read\.{named}.* minos_app"):
        await make(making(leading_to(settings, serving), tmp_path / "backups"))
    assert not backups(tmp_path / "backups")


async def run(url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
