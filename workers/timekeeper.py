"""Does what falls due: once a minute it asks read models whose time has come, and calls the command for each.

A read model may be behind and a minute may be missed: the commands decide on heads, by the database's clock, and are safe to repeat.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from adapters import postgres_connect
from adapters.erased_list import open_erased_list
from adapters.erased_reads import ErasedReads
from adapters.ports import NoDatabase, Opened, open_ports
from adapters.postgres import AWAY, CONNECT_SECONDS
from adapters.postgres_links import Links
from adapters.second_place import open_second_place
from adapters.settings import Settings
from commands.change_email import release_earlier_email
from commands.context import Context
from commands.delete_user import release_names
from commands.erase_me import begin_erasure
from commands.forget_person import release_barred_names, remind_services
from commands.ports import ErasedNames, Ports
from commands.service_tokens import tell_of_end
from commands.tell_of_key_end import tell_of_key_end
from domain.errors import Refused, StoreUnavailable
from domain.ids import CorrelationId, KeyId, TokenId, UserId
from domain.signing_key import Purpose
from projections import api_keys, erasures, service_tokens, signing_keys, users
from projections.reading import ReadModels
from projections.service_tokens import Endings
from workers.eraser import Eraser
from workers.listed_again import ListedAgain

PAUSE_SECONDS = 60.0
BATCH = 200

log = structlog.stdlib.get_logger()


class Hands(NamedTuple):
    """What duties are done with."""

    ports: Ports
    eraser: Eraser


class Duty(NamedTuple):
    """What something is due for, the longest due first, and the command that does it; False where there was nothing to do."""

    name: str
    due: Callable[[ReadModels, int], Awaitable[Sequence[UUID]]]
    act: Callable[[UUID, Context, Hands], Awaitable[bool]]


async def _release_names(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await release_names(UserId(each), ctx, hands.ports)


async def _begin_erasure(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await begin_erasure(UserId(each), ctx, hands.ports)


async def _tell_of_end(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await tell_of_end(TokenId(each), ctx, hands.ports)


async def _tell_of_key_end(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await tell_of_key_end(KeyId(each), ctx, hands.ports)


async def _release_earlier_email(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await release_earlier_email(UserId(each), ctx, hands.ports)


async def _erase(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await hands.eraser.erase(UserId(each), ctx)


async def _release_barred_names(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await release_barred_names(UserId(each), ctx, hands.ports)


async def _remind_services(each: UUID, ctx: Context, hands: Hands) -> bool:
    return await remind_services(UserId(each), ctx, hands.ports)


DUTIES: tuple[Duty, ...] = (
    Duty("erasures_begun", erasures.due, _begin_erasure),
    Duty("erasures_completed", erasures.unfinished, _erase),
    Duty("barred_names_released", erasures.past_barring, _release_barred_names),
    Duty("services_reminded", erasures.unheard, _remind_services),
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
        signing: Callable[[Mapping[Purpose, datetime]], None] = lambda _since: None,
        destroyed: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._seen = seen
        self._signing = signing
        self._destroyed = destroyed
        self._listed_again = ListedAgain(destroyed)

    async def run(self, stop: asyncio.Event) -> None:
        """Look every minute until `stop` is set. Raises StoreUnavailable, and what open_ports raises: call it again then."""
        while not stop.is_set():
            await self.step()
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await stop.wait()

    async def step(self) -> int:
        """Do what is due now, a batch of each kind, and give how much that was."""
        counts = dict.fromkeys((duty.name for duty in DUTIES), 0)
        url = self._settings.database_url
        if url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        links = Links(url.reveal(), size=1)
        reads = ErasedReads(links)
        try:
            async with postgres_connect.pool(url.reveal(), size=1, timeout=CONNECT_SECONDS) as pool:
                models = ReadModels(pool)
                self._seen(await service_tokens.endings(models))
                self._signing(await signing_keys.active_since(models))
                unread = self._listed_again.is_due(await reads.database())
                due = [(duty, each) for duty in DUTIES for each in await duty.due(models, BATCH)]
                if due or unread:
                    await self._do(due, pool, counts, links, reads if unread else None)
        except (*AWAY, StoreUnavailable) as error:
            self._listed_again.forget()
            raise StoreUnavailable from error
        finally:
            await links.close()
        for name, count in counts.items():
            self._observe(name, count)
        return sum(counts.values())

    async def _do(
        self,
        due: Sequence[tuple[Duty, UUID]],
        pool: "asyncpg.Pool[asyncpg.Record]",
        counts: dict[str, int],
        links: Links,
        unread: ErasedReads | None,
    ) -> None:
        place = open_second_place(self._settings)
        try:
            async with open_ports(self._settings) as opened:
                listed = await open_erased_list(place, links, opened.wrapping, self._settings.issuer)
                if unread is not None:
                    await self._listed_again.read(listed, unread, _context(opened.ports), opened.ports)
                hands = Hands(opened.ports, self._eraser(opened, pool, listed))
                failed: list[Exception] = []
                for duty, each in due:
                    try:
                        counts[duty.name] += await _do(duty, each, hands)
                    except StoreUnavailable:
                        raise
                    except Exception as error:  # noqa: BLE001 - one's edge: the others' turn comes first, then it is raised
                        failed.append(error)
                if failed:
                    raise failed[0]
        finally:
            await place.close()

    def _eraser(self, opened: Opened, pool: "asyncpg.Pool[asyncpg.Record]", listed: ErasedNames) -> Eraser:
        return Eraser(opened.ports, ReadModels(pool), pool, listed, opened.mail_boxes, destroyed=self._destroyed)


def _context(ports: Ports) -> Context:
    return Context(correlation_id=CorrelationId(ports.random.uuid7()), system="timekeeper")


async def _do(duty: Duty, each: UUID, hands: Hands) -> bool:
    try:
        return await duty.act(each, _context(hands.ports), hands)
    except StoreUnavailable:
        raise
    except Refused as refused:  # one's edge: the others' turn comes
        log.warning("not_done_when_due", duty=duty.name, due_id=str(each), reason=refused.code)
        return False
