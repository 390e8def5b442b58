"""Does what falls due: once a minute it asks read models whose time has come, and calls the command for each.

A read model may be behind and a minute may be missed: the commands decide on heads, by the database's clock, and are safe to repeat.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from adapters.ports import NoDatabase, open_ports
from adapters.postgres import AWAY
from adapters.settings import Settings
from commands.change_email import release_earlier_email
from commands.context import Context
from commands.delete_user import release_names
from commands.erase_me import begin_erasure
from commands.ports import Ports
from commands.service_tokens import tell_of_end
from commands.tell_of_key_end import tell_of_key_end
from domain.errors import Refused, StoreUnavailable
from domain.ids import CorrelationId, KeyId, TokenId, UserId
from projections import api_keys, erasures, service_tokens, users
from projections.reading import ReadModels
from projections.service_tokens import Endings

PAUSE_SECONDS = 60.0
BATCH = 200

log = structlog.stdlib.get_logger()


class Duty(NamedTuple):
    """What something is due for, the longest due first, and the command that does it; False where there was nothing to do."""

    name: str
    due: Callable[[ReadModels, int], Awaitable[Sequence[UUID]]]
    act: Callable[[UUID, Context, Ports], Awaitable[bool]]


async def _release_names(each: UUID, ctx: Context, ports: Ports) -> bool:
    return await release_names(UserId(each), ctx, ports)


async def _begin_erasure(each: UUID, ctx: Context, ports: Ports) -> bool:
    return await begin_erasure(UserId(each), ctx, ports)


async def _tell_of_end(each: UUID, ctx: Context, ports: Ports) -> bool:
    return await tell_of_end(TokenId(each), ctx, ports)


async def _tell_of_key_end(each: UUID, ctx: Context, ports: Ports) -> bool:
    return await tell_of_key_end(KeyId(each), ctx, ports)


async def _release_earlier_email(each: UUID, ctx: Context, ports: Ports) -> bool:
    return await release_earlier_email(UserId(each), ctx, ports)


DUTIES: tuple[Duty, ...] = (
    Duty("erasures_begun", erasures.due, _begin_erasure),
    Duty("names_released", users.past_restoring, _release_names),
    Duty("earlier_email_released", users.past_undoing, _release_earlier_email),
    Duty("token_ends_told", service_tokens.ending, _tell_of_end),
    Duty("key_ends_told", api_keys.ending, _tell_of_key_end),
)


class Timekeeper:
    """Any number may run: two that do the same thing do it once. What it needs it opens when something is due, which is rare."""

    def __init__(
        self,
        settings: Settings,
        *,
        observe: Callable[[str, int], None] = lambda _duty, _count: None,
        seen: Callable[[Endings], None] = lambda _endings: None,
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._seen = seen

    async def run(self, stop: asyncio.Event) -> None:
        """Look every minute until `stop` is set. Raises StoreUnavailable, and what open_ports raises: call it again then."""
        while not stop.is_set():
            await self.step()
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await stop.wait()

    async def step(self) -> int:
        """Do what is due now, a batch of each kind, and give how much that was."""
        due = [(duty, each) for duty, ids in await self._look() for each in ids]
        counts = dict.fromkeys((duty.name for duty in DUTIES), 0)
        if due:
            async with open_ports(self._settings) as opened:
                for duty, each in due:
                    counts[duty.name] += await _do(duty, each, opened.ports)
        for name, count in counts.items():
            self._observe(name, count)
        return sum(counts.values())

    async def _look(self) -> list[tuple[Duty, Sequence[UUID]]]:
        url = self._settings.database_url
        if url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        try:
            async with asyncpg.create_pool(url.reveal(), min_size=0, max_size=1) as pool:
                models = ReadModels(pool)
                self._seen(await service_tokens.endings(models))
                return [(duty, await duty.due(models, BATCH)) for duty in DUTIES]
        except AWAY as error:
            raise StoreUnavailable from error


async def _do(duty: Duty, each: UUID, ports: Ports) -> bool:
    ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="timekeeper")
    try:
        return await duty.act(each, ctx, ports)
    except StoreUnavailable:
        raise
    except Refused as refused:  # one's edge: the others' turn comes
        log.warning("not_done_when_due", duty=duty.name, due_id=str(each), reason=refused.code)
        return False
