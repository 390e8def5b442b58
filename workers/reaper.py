"""Deletes what is outside the log and has outlived its use, in small batches so that nobody waits."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.postgres import Link
from adapters.postgres_sql import statements
from workers.retention import sweeping

SQL = statements(Path(__file__).with_suffix(".sql"))

PAUSE_SECONDS = 60.0
BATCH = 1_000

AGES: dict[str, str] = {
    "command_results": "72 hours",
    "sign_in_attempts": "90 days",
    "attempts_on_nobody": "1 day",
    "sign_in_guard": "0 seconds",
    "sign_in_networks": "0 seconds",
    "bootstrap_codes": "1 day",
    "rate_limits": "0 seconds",
    "shown_secrets": "0 seconds",
    "orphaned_keys": "1 hour",
    "left_passwords": "1 hour",
    "last_used_sessions": "90 days",
    "sign_in_facts": "90 days",
    "last_used_others": "400 days",
    "used_assertions": "1 hour",
    "mail_budget": "0 seconds",
    "pending_registrations": "0 seconds",
    "live_signals": "1 minute",
    "live_service_tokens": "1 minute",
    "mails_done": "7 days",
    "mails_failed": "30 days",
}
"""What is deleted, and how long after it was made (results, attempts, keys), expired (guard rows, networks, codes, used limits), last used,
or done with."""


class Reaper:
    """Any number may run: rows another one is deleting are passed over."""

    def __init__(self, url: str, *, observe: Callable[[str, int], None] = lambda _kind, _count: None) -> None:
        self._link = Link(url)
        self._observe = observe

    async def run(self, stop: asyncio.Event) -> None:
        """Delete every minute until `stop` is set. Raises StoreUnavailable: call it again then."""
        try:
            while not stop.is_set():
                await self.step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await stop.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        await self._link.close()

    async def step(self) -> int:
        """Delete all that is due, and give how many rows that were. Raises StoreUnavailable."""
        total = 0
        for kind, age in AGES.items():
            more = True
            while more:
                ((deleted, more),) = await self._link.fetch(SQL[kind], age, BATCH)
                self._observe(kind, deleted)
                total += deleted
        swept = await sweeping.sweep(self._link)
        self._observe("pruned_journal_rows", swept)
        return total + swept
