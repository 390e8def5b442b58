"""Keeps the keys of the months: makes the next one ahead, has live keys wrapped by it, destroys the old one when its backups are old.

All of it is safe to repeat and to break off: what it finds is looked up anew each time, and a month's key goes only when the database
agrees that nothing hangs on it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct

from adapters import months
from adapters.ports import NoDatabase, open_ports
from adapters.postgres_links import Links
from adapters.rewrapping import compare, compare_moved, rewrap_subjects
from adapters.settings import Settings
from adapters.subject_keks import SQL, Registered, SubjectKeks
from commands.context import Context
from commands.vault_keys import note_destroyed
from domain.ids import CorrelationId, KekId

PAUSE_SECONDS = 3_600.0
AHEAD = timedelta(days=7)
"""So early there is a key for the next month, that every process knows it before one uses it, and an operator has copied it."""
FORGOTTEN_AT_ONCE = 5_000

log = structlog.stdlib.get_logger()


class Kept(Struct, frozen=True, kw_only=True):
    """What a pass found and did."""

    moved: int = 0
    mended: int = 0
    destroyed: int = 0
    months: int = 0
    compared: datetime | None = None
    """Up to when what was wrapped anew has been looked at."""


class Keykeeper:
    """Any number may run: two that do the same thing do it once."""

    def __init__(self, settings: Settings, *, observe: Callable[[Kept], None] = lambda _: None) -> None:
        self._settings = settings
        self._observe = observe
        self._compared: datetime | None = None
        """What was wrapped anew before then was looked at. Begun anew, it looks at everything."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look every hour until `stop` is set. Raises StoreUnavailable, and what open_ports raises: call it again then."""
        while not stop.is_set():
            await self.step()
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await stop.wait()

    async def step(self) -> Kept:
        url = self._settings.database_url
        if url is None:
            raise NoDatabase("set MINOS_DATABASE_URL")
        links = Links(url.reveal(), size=1)
        try:
            async with open_ports(self._settings) as opened:
                kept = await pass_through(links, opened.keks, datetime.now(UTC), self._compared)
                self._compared = kept.compared
                ctx = Context(correlation_id=CorrelationId(opened.ports.random.uuid7()), system="keykeeper")
                gone = [KekId(each.kek_id) for each in opened.keks.registered if each.month and each.destroyed_at]
                if gone:
                    await note_destroyed(gone, ctx, opened.ports)
        finally:
            await links.close()
        self._observe(kept)
        return kept


async def pass_through(links: Links, keks: SubjectKeks, now: datetime, compared: datetime | None = None) -> Kept:
    """Do what is due now. Raises StoreUnavailable, PlaceAway, CannotUnwrap."""
    await _make(keks, now)
    moved = destroyed = 0
    for each in keks.registered:
        if each.month is not None and each.month < months.first_of(now) and each.closed_at is None:
            await links.run(SQL["close"], each.kek_id)
    await keks.refresh()
    for kek_id in await _left_behind(links, keks):
        moved += sum([count async for count in rewrap_subjects(links, keks, kek_id)])
    mended, compared = await compare_moved(links, keks, compared)
    for each in [each for each in keks.registered if each.closed_at is not None]:
        await links.run(SQL["settle"], each.kek_id)
    await keks.refresh()
    for each in [each for each in keks.registered if keks.is_due(each, now)]:
        mended += await compare(links, keks, each.kek_id)
        destroyed += await _destroy(links, keks, each, now)
    await keks.refresh()
    return Kept(moved=moved, mended=mended, destroyed=destroyed, months=len(keks.months), compared=compared)


async def _make(keks: SubjectKeks, now: datetime) -> None:
    """This month's key, and in time the next one's. Those that the folder has and a restored database has not are registered again."""
    this = months.first_of(now)
    following = months.next_month(this)
    wanted = {this, *([following] if months.first_of(now + AHEAD) == following else []), *(month.first_day for month in keks.months)}
    known = {each.month for each in keks.registered}
    for month in sorted(wanted - known):
        await keks.make(month)


async def _left_behind(links: Links, keks: SubjectKeks) -> list[str]:
    """Give what subject keys hang on besides the month in use and one ahead of it."""
    rows = await links.read(SQL["in_use"])
    open_ = {each.kek_id for each in keks.registered if each.month is not None and each.closed_at is None}
    return [row[0] for row in rows if row[0] not in open_ | keks.destroyed]


async def _destroy(links: Links, keks: SubjectKeks, each: Registered, now: datetime) -> bool:
    """First it is noted that the key is gone, then it goes: broken off in between, the next pass finds the note and the key."""
    if not (await links.run(SQL["destroy"], each.kek_id))[0][0]:
        return False
    for month in keks.months:
        if month.key.kek_id == each.kek_id:
            await keks.bury(month, now)
            log.info("month_key_destroyed", kek_id=each.kek_id)
    while (await links.run(SQL["forget"], each.kek_id, FORGOTTEN_AT_ONCE))[0][0]:
        pass
    return each.destroyed_at is None
