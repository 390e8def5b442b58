"""What a filled authority takes of the disk, by table and index, and which tables are read from end to end."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

_RELATIONS = """
SELECT n.nspname || '.' || regexp_replace(c.relname, '_(v[0-9]+_g[0-9]+|p[0-9]{6})', '') AS name, c.relkind = 'i' AS index,
       sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relkind = 'i') AS of_index,
       sum(pg_table_size(c.oid)) FILTER (WHERE c.relkind <> 'i') AS of_table
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'read', 'vault') AND c.relkind IN ('r', 'i')
GROUP BY 1, 2 ORDER BY 1, 2
"""
_WALKED = """
SELECT schemaname || '.' || relname AS name, seq_scan AS times, seq_tup_read AS rows, n_live_tup AS live
FROM pg_stat_user_tables ORDER BY 1
"""


class Relation(Struct, frozen=True, kw_only=True):
    """A table or an index, its generations and partitions together."""

    name: str
    index: bool
    bytes: int


class Walks(Struct, frozen=True, kw_only=True):
    """How often a table was read from end to end since it was counted from, and how many rows that read."""

    name: str
    times: int
    rows: int
    live: int


async def relations(url: str) -> Sequence[Relation]:
    """The largest first."""
    rows = await _asked(url, _RELATIONS)
    found = [Relation(name=row["name"], index=row["index"], bytes=int(row["of_index"] or row["of_table"] or 0)) for row in rows]
    return sorted(found, key=lambda each: -each.bytes)


async def walks(url: str) -> Sequence[Walks]:
    """As counted so far; the counters of a process that rests are up to date after ten seconds."""
    return [Walks(name=row["name"], times=row["times"] or 0, rows=row["rows"] or 0, live=row["live"]) for row in await _asked(url, _WALKED)]


def walks_since(before: Sequence[Walks], after: Sequence[Walks]) -> Sequence[Walks]:
    """What came between, of the tables that were walked through at all."""
    known = {each.name: each for each in before}
    none = Walks(name="", times=0, rows=0, live=0)
    between = [
        Walks(name=each.name, times=each.times - known.get(each.name, none).times, rows=each.rows - known.get(each.name, none).rows,
              live=each.live)
        for each in after
    ]  # fmt: skip
    return [each for each in between if each.times]


def folder_bytes(folder: Path) -> int:
    """What files have of the disk: less than their length where they have holes."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


async def _asked(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()
