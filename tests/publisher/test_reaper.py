"""What has outlived its use goes, and nothing else."""

import asyncpg
import pytest

from tests.conftest import Database
from workers.reaper import SQL, Reaper

KEPT_AND_DUE = [
    ("of somebody, yesterday", "gen_random_uuid()", "25 hours", True),
    ("of somebody, last season", "gen_random_uuid()", "91 days", False),
    ("of nobody, just now", "NULL", "1 hour", True),
    ("of nobody, yesterday", "NULL", "25 hours", False),
]


@pytest.mark.parametrize(("user", "age", "kept"), [row[1:] for row in KEPT_AND_DUE], ids=[row[0] for row in KEPT_AND_DUE])
async def test_refused_sign_ins_are_kept_for_as_long_as_they_are_of_use(database: Database, user: str, age: str, kept: bool) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        await connection.execute(
            f"INSERT INTO sign_in_attempts (at, name_mac, user_id, outcome) "
            f"VALUES (clock_timestamp() - interval '{age}', '\\x00', {user}, 'wrong_password')"
        )
        reaper = Reaper(database.app_url)
        deleted = await reaper.step()
        await reaper.close()
        assert await connection.fetchval("SELECT count(*) FROM sign_in_attempts") == (1 if kept else 0)
        assert deleted == (0 if kept else 1)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "command_results",
        "sign_in_attempts",
        "sign_in_guard",
        "attempts_on_nobody",
        "mail_budget",
        "shown_secrets",
        "pending_registrations",
        "mails_done",
        "mails_failed",
        "sign_in_facts",
        "last_used_sessions",
        "last_used_others",
        "live_signals",
        "live_service_tokens",
    ],
)
async def test_what_is_not_due_is_not_read(database: Database, statement: str) -> None:
    """A look every minute at all there is would grow with the service; the index has to say where what is due ends."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute("SET enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {SQL[statement]}", "1 hour", 100))
        assert "Index Cond: (" in plan.partition("->  Limit")[2].partition("Filter:")[0], plan
    finally:
        await connection.close()
