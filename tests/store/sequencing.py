"""What tests of the sequencer share: appending inside a transaction of their own, and waiting for positions."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from adapters.event_store import SQL
from adapters.event_store_columns import columns
from adapters.log_reader import LogReader
from adapters.second_place import FolderPlace
from commands.ports import Commit
from domain.log import EpochReason
from workers.epochs import Opened, open_epoch


async def append(connection: "asyncpg.Connection[asyncpg.Record]", made: Commit) -> bool:
    row = await connection.fetchrow(SQL["append"], *columns([made], wait=False))
    return row is not None and row["result"] == 0


async def sequenced(reader: LogReader, size: int) -> None:
    async with asyncio.timeout(10):
        while (await reader.size()).size < size:
            await asyncio.sleep(0.005)
    assert (await reader.size()).size == size


async def another_epoch(owner_url: str) -> Opened:
    """Open one of a log of which nothing was published."""
    with TemporaryDirectory() as folder:
        return await open_epoch(owner_url, FolderPlace(Path(folder)), EpochReason.RESTORED)
