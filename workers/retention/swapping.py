"""Changes which tables the log is made of, in a transaction so short that nobody notices."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg

from domain.log import Log, LogEvent
from workers.log_stream import NotTold, tell
from workers.retention.partitions import ACTOR, SQL, Connection, RetentionRefused

Decision: TypeAlias = Callable[[Log, datetime], Sequence[LogEvent]]

LOCK_WAIT = "20ms"
"""While this waits for those who are in the log, others wait behind it."""
TRIES = 200
PAUSE_SECONDS = 0.25


async def swap(connection: Connection, tables: str, *, told: Decision, noted: tuple[str, Sequence[Any]]) -> None:
    """Run `tables`, statements that change the log's tables, with what is told in the log and noted beside it: all, or nothing.

    Raises RetentionRefused when the log never stood still.
    """
    note, arguments = noted
    for _ in range(TRIES):
        try:
            async with connection.transaction():
                await tell(connection, told, actor=ACTOR)  # first, as it is the longer part
                await connection.execute(SQL[note], *arguments)
                await connection.execute(SQL["not_for_long"], LOCK_WAIT)
                await connection.execute(SQL["stop_the_log"])
                await connection.execute(tables)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, NotTold):
            await asyncio.sleep(PAUSE_SECONDS * random.random())  # noqa: S311 - so as not to come at the same beat as others
        else:
            return
    raise RetentionRefused("the log never stood still for a moment: run this again at another time")
