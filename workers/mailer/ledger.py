"""The mailer's own books: how far it has read the log, and what has become of each mail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres import Link
from adapters.postgres_sql import statements
from domain.event import Pruned, Recorded
from domain.ids import EventId
from workers.decoded import Unreadable, read_record
from workers.mailer.reactions import TAGS, Facts, Wanted, mail_id, wanted_by

SQL = statements(Path(__file__).with_suffix(".sql"))
PAGE = 5_000
"""Positions looked at in one step."""
AHEAD = 20_000
"""How far the cursor may lag behind what was looked at and asked for nothing: moving it costs a flush to disk."""
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 4 * 3_600.0
MOST_ATTEMPTS = 10
"""Some 15 hours of trying."""
UNREADABLE = "unreadable"
COLUMNS = 7


class MailState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    """There was nothing to send, or nobody to send it to, when its turn came."""


class Due(Struct, frozen=True, kw_only=True):
    """A mail that was taken to be sent now. `address` is sealed."""

    mail_id: UUID
    letter: str
    user_id: UUID | None
    address: bytes | None
    facts: bytes
    attempts: int
    created_at: datetime
    too_late: bool

    def __repr__(self) -> str:
        return f"Due(mail_id={self.mail_id}, letter={self.letter})"


class Figures(Struct, frozen=True, kw_only=True):
    """What waits. `tried` of these did not go out at the first try."""

    waiting: int
    oldest_s: float
    tried: int


class Ledger:
    """Over one connection; one caller at a time. All raise StoreUnavailable."""

    def __init__(self, url: str) -> None:
        self._link = Link(url)
        self._looked = 0

    async def turn(self) -> bool:
        """Turn the next events into rows, in the statement that moves the cursor: exactly once. False when there was nothing to read.

        What was looked at and asks for nothing is remembered in memory only; reading it again changes nothing.
        """
        ((position, size),) = await self._link.read(SQL["stand"])
        after = max(position, self._looked)
        if after >= size:
            return False
        records = await self._link.read(SQL["read"], after, PAGE, TAGS)
        through = min(records[0]["size"], after + PAGE)
        rows = [row for record in records if record["position"] is not None for row in _rows(record)]
        if rows or through - position > AHEAD:
            columns = [[row[n] for row in rows] for n in range(COLUMNS)]
            ((moved,),) = await self._link.fetch(SQL["turn"], position, through, *columns)
            if not moved:  # another mailer was here
                return True
        self._looked = through
        return True

    async def take(self, most: int) -> Sequence[Due]:
        rows = await self._link.fetch(SQL["take"], most, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        return [msgspec.convert(dict(row), type=Due) for row in rows]

    async def settle(self, due: Due, state: MailState, reason: str | None = None) -> None:
        await self._link.fetch(SQL["settle"], due.mail_id, due.attempts, state, reason)

    async def put_off(self, due: Due, reason: str) -> bool:
        """Leave it for its next try. False where that was the last one."""
        if due.attempts >= MOST_ATTEMPTS:
            await self.settle(due, MailState.FAILED, reason)
            return False
        await self._link.fetch(SQL["put_off"], due.mail_id, due.attempts, reason)
        return True

    async def figures(self) -> Figures:
        (row,) = await self._link.read(SQL["figures"])
        return msgspec.convert(dict(row), type=Figures)

    async def close(self) -> None:
        await self._link.close()


_Row: TypeAlias = tuple[UUID, str, UUID | None, bytes, datetime, MailState, str | None]


def _rows(record: asyncpg.Record) -> list[_Row]:
    """What cannot be read is not passed over in silence, nor does it keep anybody else from their mail: it stands here as failed."""
    read = read_record(record)
    if isinstance(read, Unreadable):
        nothing = mail_id(EventId(record["event_id"]), UNREADABLE)
        return [(nothing, UNREADABLE, None, b"{}", read.recorded_at, MailState.FAILED, "event_not_readable")]
    return [] if isinstance(read, Pruned) else [_row(read, wanted) for wanted in wanted_by(read)]


def _row(recorded: Recorded[Any], wanted: Wanted) -> _Row:
    until = recorded.recorded_at + timedelta(seconds=wanted.keep_s)
    facts = msgspec.json.encode(wanted.facts)
    return mail_id(recorded.event_id, wanted.letter), wanted.letter, wanted.user_id, facts, until, MailState.WAITING, None


def facts_of(due: Due) -> Facts:
    return msgspec.json.decode(due.facts, type=Facts)
