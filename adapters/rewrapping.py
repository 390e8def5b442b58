"""Has keys at rest wrapped by other keys, a batch at a time, while everybody serves. Nothing of a key itself changes.

Each batch is one statement that changes a row only where it is still what was read: killed at any moment, and run again or by two at
once, it goes on with what is left.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.subject_keks import SubjectKeks
from adapters.vault import name_of as subject_name
from adapters.wrapping import CannotUnwrap, KekDestroyed, Wrapped, Wrapping
from domain.ids import SubjectKeyId

SQL = statements(Path(__file__).with_suffix(".sql"))
BATCH = 500
REST_S = 0.02
"""Between two batches, so that whoever signs in meanwhile does not notice."""
OVERLAP = timedelta(hours=1)
"""What was moved in a transaction that was still open when the others were looked at is looked at the next time."""
_FIRST = UUID(int=0)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

log = structlog.stdlib.get_logger()


class Kind(StrEnum):
    SERVICE = "service"
    SIGNING = "signing"
    LOG = "log"
    SUBJECT = "subject"


class Hanging(Struct, frozen=True, kw_only=True):
    """So many keys of a kind are wrapped by this key."""

    kind: Kind
    kek_id: str
    count: int


class StillNeeded(CannotUnwrap):
    """Keys hang on a root key that is not configured. The message says how many on which."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Where keys of a kind lie, and what a key is called to whoever wraps it."""

    following: str
    move: str
    name: str


OF_ROOT: Mapping[Kind, _Table] = {
    Kind.SERVICE: _Table(SQL["next_service"], SQL["move_service"], "secret/"),
    Kind.SIGNING: _Table(SQL["next_signing"], SQL["move_signing"], "signing/"),
    Kind.LOG: _Table(SQL["next_log"], SQL["move_log"], "log/"),
}


async def hanging(links: Links) -> Sequence[Hanging]:
    return [Hanging(kind=Kind(row[0]), kek_id=row[1], count=row[2]) for row in await links.read(SQL["hanging"])]


async def refuse_unknown(links: Links, root: Wrapping) -> None:
    """Raise StillNeeded where something hangs on a root key that is not here: a start that would fail later is refused now."""
    rows = await links.read(SQL["hanging_elsewhere"], root.kek_ids)
    if rows:
        needs = ", ".join(f"{row['count']} {row['kind']} keys on {row['kek_id']}" for row in rows)
        have = ", ".join(f"{key.origin} holds {key.kek_id}" for key in root.keys)
        raise StillNeeded(
            f"not configured here, and yet needed: {needs}; {have}. Put the old key into MINOS_MASTER_KEY_PREVIOUS until `minos keys "
            "rewrap` has moved what hangs on it"
        )


async def rewrap(owner: Links, root: Wrapping, kind: Kind) -> AsyncGenerator[int]:
    """Move the keys of one kind to the root key in use; gives how many after each batch. As the owner. Raises CannotUnwrap."""
    table = OF_ROOT[kind]
    while rows := await owner.read(table.following, root.current, BATCH):
        anew = [root.wrap(table.name + row[0], root.unwrap(table.name + row[0], Wrapped(row[1], row[2]))) for row in rows]
        moved = await owner.run(table.move, [row[0] for row in rows], [row[1] for row in rows], [each.box for each in anew], anew[0].kek_id)
        yield len(moved)


async def rewrap_subjects(links: Links, keks: SubjectKeks, kek_id: str) -> AsyncGenerator[int]:
    """Move the subject keys that hang on one key to the month in use; gives how many after each batch, resting in between.

    Those that do not open are left as they are: they may be nonsense in the place of what `compare` finds again.
    """
    after = _FIRST
    while rows := await links.read(SQL["next_subjects"], kek_id, after, BATCH):
        after = rows[-1]["key_id"]
        yield await _move(links, keks, [(row, _opened(keks, row)) for row in rows])
        await asyncio.sleep(REST_S)


async def compare(links: Links, keks: SubjectKeks, kek_id: str) -> int:
    """Look whether what was wrapped by a key that is to be destroyed still opens to the same; gives how many were mended.

    The database cannot see what the serving role had keys wrapped in, so this is looked at while both are there.
    """
    after, mended = _FIRST, 0
    while rows := await links.read(SQL["next_earlier"], kek_id, after, BATCH):
        after = rows[-1]["key_id"]
        mended += await _mend(links, keks, rows)
    return mended


async def compare_moved(links: Links, keks: SubjectKeks, since: datetime | None) -> tuple[int, datetime]:
    """The same of what was moved since then, of everything where that is None: nonsense is mended while it is fresh. Gives how many were
    mended, and what to say the next time."""
    ((now,),) = await links.read(SQL["now"])
    after, mended = (since or _LONG_AGO, "", _FIRST), 0
    while rows := await links.read(SQL["next_moved"], *after, now, BATCH):
        after = rows[-1]["moved_at"], rows[-1]["earlier_kek"], rows[-1]["key_id"]
        mended += await _mend(links, keks, rows)
    return mended, now - OVERLAP


async def _mend(links: Links, keks: SubjectKeks, rows: Sequence[asyncpg.Record]) -> int:
    wrong = [(row, was) for row in rows if (was := _earlier(keks, row)) is not None and was != _opened(keks, row)]
    mended = await _move(links, keks, wrong)
    if wrong:
        log.error("subject_keys_mended", count=mended)
    await asyncio.sleep(REST_S)
    return mended


async def _move(links: Links, keks: SubjectKeks, keys: Sequence[tuple[asyncpg.Record, bytes | None]]) -> int:
    there = [(row, keks.wrap(_name(row), raw)) for row, raw in keys if raw is not None]
    if not there:
        return 0
    columns = ([row["key_id"] for row, _ in there], [row["kek_id"] for row, _ in there], [row["wrapped"] for row, _ in there])
    moved: int = (await links.run(SQL["move_subjects"], *columns, there[0][1].kek_id, [anew.box for _, anew in there]))[0][0]
    return moved


def _opened(keks: SubjectKeks, row: asyncpg.Record) -> bytes | None:
    try:
        return keks.unwrap(_name(row), Wrapped(row["wrapped"], row["kek_id"]))
    except KekDestroyed:
        return None
    except CannotUnwrap as error:
        log.warning("subject_key_does_not_open", reason=str(error))
        return None


def _earlier(keks: SubjectKeks, row: asyncpg.Record) -> bytes | None:
    try:
        return keks.unwrap(_name(row), Wrapped(row["earlier"], row["earlier_kek"]))
    except CannotUnwrap:
        return None


def _name(row: asyncpg.Record) -> str:
    return subject_name(SubjectKeyId(UUID(bytes=row["key_id"].bytes)))
