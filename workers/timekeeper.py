"""Does what falls due: once a minute it asks read models whose time has come, and calls the command for each.

A read model may be behind and a minute may be missed: the commands decide on heads, by the database's clock, and are safe to repeat.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import asyncpg
import structlog

from adapters.ports import NoDatabase, open_ports
from adapters.postgres import AWAY
from adapters.settings import Settings
from commands.context import Context
from commands.delete_user import release_names
from commands.ports import Ports
from domain.errors import Refused, StoreUnavailable
from domain.ids import CorrelationId, UserId
from projections import users
from projections.reading import ReadModels

PAUSE_SECONDS = 60.0
BATCH = 200

log = structlog.stdlib.get_logger()


class Duty(NamedTuple):
    """Accounts for which something is due, the longest due first, and the command that does it; False where there was nothing to do."""

    name: str
    due: Callable[[ReadModels, int], Awaitable[Sequence[UserId]]]
    act: Callable[[UserId, Context, Ports], Awaitable[bool]]


DUTIES: tuple[Duty, ...] = (Duty("names_released", users.past_restoring, release_names),)


class Timekeeper:
    """Any number may run: two that do the same thing do it once. What it needs it opens when something is due, which is rare."""

    def __init__(self, settings: Settings, *, observe: Callable[[str, int], None] = lambda _duty, _count: None) -> None:
        self._settings = settings
        self._observe = observe

    async def run(self, stop: asyncio.Event) -> None:
        """Look every minute until `stop` is set. Raises StoreUnavailable, and what open_ports raises: call it again then."""
        while not stop.is_set():
            await self.step()
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await stop.wait()

    async def step(self) -> int:
        """Do what is due now, a batch of each kind, and give how much that was."""
        due = [(duty, user_id) for duty, ids in await self._look() for user_id in ids]
        counts = dict.fromkeys((duty.name for duty in DUTIES), 0)
        if due:
            async with open_ports(self._settings) as opened:
                for duty, user_id in due:
                    counts[duty.name] += await _do(duty, user_id, opened.ports)
        for name, count in counts.items():
            self._observe(name, count)
        return sum(counts.values())

    async def _look(self) -> list[tuple[Duty, Sequence[UserId]]]:
        url = self._settings.database_url
        if url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        try:
            async with asyncpg.create_pool(url.reveal(), min_size=0, max_size=1) as pool:
                models = ReadModels(pool)
                return [(duty, await duty.due(models, BATCH)) for duty in DUTIES]
        except AWAY as error:
            raise StoreUnavailable from error


async def _do(duty: Duty, user_id: UserId, ports: Ports) -> bool:
    ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="timekeeper")
    try:
        return await duty.act(user_id, ctx, ports)
    except StoreUnavailable:
        raise
    except Refused as refused:  # one account's edge: the others' turn comes
        log.warning("not_done_when_due", duty=duty.name, user_id=str(user_id), reason=refused.code)
        return False
