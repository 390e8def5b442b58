"""Tells the metrics what nobody else sees: what is held back, and how much room there is left."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.postgres import Link
from adapters.postgres_sql import statements
from adapters.second_place import PlaceAway, open_second_place
from adapters.settings import Settings
from workers import metrics
from workers.backup import newest
from workers.standing import standing_rows

PAUSE_SECONDS = 5.0
SERVER_EVERY = 12
"""A look at the server, which measures files, and at the second place, every so many looks at what is held back."""

_SERVER = statements(Path(__file__).with_suffix(".sql"))["server"]


class Surveyor:
    """The room that is told is that of the disk with everything Minos keeps on this machine."""

    def __init__(self, url: str, settings: Settings, *, observe: Callable[[], None] = lambda: None) -> None:
        self._link = Link(url)
        self._settings = settings
        self._observe = observe
        self._looks = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Look every five seconds until `stop` is set. Raises StoreUnavailable: call it again then."""
        try:
            while not stop.is_set():
                await self.step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await stop.wait()
        finally:
            await self._link.close()

    async def step(self) -> None:
        for row in await standing_rows(self._link.read):
            if row["serving"]:
                metrics.PARKED.labels(row["name"]).set(row["parked"])
                metrics.PAUSED.labels(row["name"]).set(row["status"] != "live")
        if self._looks % SERVER_EVERY == 0:
            await self._look_at_the_server()
            await self._look_at_backups()
        self._looks += 1
        self._observe()

    async def _look_at_the_server(self) -> None:
        (row,) = await self._link.read(_SERVER)
        metrics.DATABASE_SIZE.set(row["size"])
        metrics.CONNECTIONS.set(row["connections"])
        metrics.CONNECTIONS_MOST.set(row["connections_most"])
        metrics.OLDEST_XID.set(row["oldest_xid"])
        with suppress(OSError):  # no such folder: nothing is kept on this machine
            room = shutil.disk_usage(self._settings.data_dir)
            metrics.DISK_SIZE.set(room.total)
            metrics.DISK_FREE.set(room.free)

    async def _look_at_backups(self) -> None:
        place = open_second_place(self._settings)
        try:
            made_at = (await newest.read(place)).made_at
        except PlaceAway:
            return  # the integrator says so
        finally:
            await place.close()
        metrics.BACKUP_MADE.set(0 if made_at is None else made_at.timestamp())
