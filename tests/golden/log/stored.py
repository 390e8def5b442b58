"""Whole logs as they lay in a database once, one event a line, and the digests of the read models made of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

FOLDER = Path(__file__).parent
COLUMNS = (
    "append_id", "stream", "version", "type", "event_id", "recorded_at", "actor", "session_id", "command_id", "correlation_id",
    "causation_id", "key_id", "payload",
)  # fmt: skip

Digests = Mapping[str, Mapping[str, str]]
"""Of a stored log, the digest of each read model by `<name>_v<fold version>`."""


class StoredRow(Struct, frozen=True, kw_only=True):
    append_id: int
    stream: str
    version: int
    type: str
    event_id: UUID
    recorded_at: datetime
    actor: str
    session_id: UUID | None
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None
    key_id: UUID | None
    payload: bytes

    def as_dict(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


class _Line(Struct, frozen=True, kw_only=True):
    """The row with its payload as the object it is: bytes stay as they are, and people can read it."""

    payload: Raw


def encoded(row: StoredRow) -> bytes:
    return msgspec.json.encode({**row.as_dict(), "payload": Raw(row.payload)})


def _decoded(line: bytes) -> StoredRow:
    payload = bytes(msgspec.json.decode(line, type=_Line).payload)
    rest = {**msgspec.json.decode(line), "payload": ""}
    return msgspec.structs.replace(msgspec.convert(rest, type=StoredRow, strict=False), payload=payload)


@cache
def stored_logs() -> Mapping[str, Sequence[StoredRow]]:
    return {path.stem: [_decoded(line) for line in path.read_bytes().splitlines()] for path in sorted(FOLDER.glob("*.ndjson"))}


def digests() -> Digests:
    path = FOLDER / "digests.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]]) if path.exists() else {}


async def load(owner: "asyncpg.Connection[asyncpg.Record]", rows: Sequence[StoredRow]) -> None:
    """Put rows into the log as they are, with the heads they belong to."""
    values = [(*(getattr(row, name) for name in COLUMNS), slot_of(row.stream)) for row in rows]
    await owner.copy_records_to_table("events", records=values, columns=(*COLUMNS, "slot"))
    await owner.executemany(
        "INSERT INTO heads (stream, version, state_version) VALUES ($1, $2, 0) ON CONFLICT (stream) DO UPDATE SET version = $2",
        [(row.stream, row.version) for row in rows],
    )
    await owner.execute("SELECT setval('events_append_id_seq', $1)", rows[-1].append_id)


def slot_of(stream: str) -> int:
    return sha256(stream.encode()).digest()[0] & 63


async def digest_of(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> str:
    """Hash a table: its columns by name, its rows by their bytes. Equal for equal rows, in whatever order they were written."""
    records = await connection.fetch(f"SELECT * FROM {table}")
    rows = sorted(msgspec.msgpack.encode([(name, _plain(record[name])) for name in sorted(record.keys())]) for record in records)
    return sha256(msgspec.msgpack.encode(rows)).hexdigest()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
