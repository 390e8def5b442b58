"""What `minos doctor` looks at of the PostgreSQL server: that it keeps what it says it has, takes all connections, and cleans up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres_sql import statements
from cli.finding import Finding, found, warned

SQL = statements(Path(__file__).with_suffix(".sql"))
OF_AN_API_PROCESS = 28
"""Connections it may open: 8 for the log, 8 for lists, 3 for keys and limits, 9 for feeds, signals, replays and the tree."""
OF_THE_WORKERS = 25
"""As many as were seen open at once, and a few more."""
WRAPS_AT = 2_000_000_000
"""Of 2^31 transaction ids: then the server takes no more writes."""
_DEADLINE_S = 5.0

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Server(Struct, frozen=True, kw_only=True):
    """As the serving role sees it. `oldest_xid`, `oldest_mxid`: ages in transactions; `freeze_at`: the age at which they are cleaned up."""

    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    wal_level: str
    autovacuum: bool
    track_counts: bool
    data_checksums: bool
    most_connections: int
    connections: int
    role_limit: int
    oldest_xid: int
    oldest_mxid: int
    freeze_at: int
    forgotten: int
    standby: bool
    pid: int


class Slot(Struct, frozen=True, kw_only=True):
    slot_name: str
    held: int


class Dead(Struct, frozen=True, kw_only=True):
    relname: str
    dead: int


async def server(connection: Connection, workers: int) -> list[Finding]:
    row = await connection.fetchrow(SQL["server"], timeout=_DEADLINE_S)
    if row is None:
        return []
    state = msgspec.convert(dict(row), Server)
    slots = [msgspec.convert(dict(each), Slot) for each in await connection.fetch(SQL["slots"], timeout=_DEADLINE_S)]
    dead = [msgspec.convert(dict(each), Dead) for each in await connection.fetch(SQL["dead"], timeout=_DEADLINE_S)]
    way = pooler(connection.get_server_pid(), state.pid)
    return [*durable(state), connections(state, workers), *cleaning(state, dead), replication(slots), way]


def durable(state: Server) -> Iterator[Finding]:
    """A commit that is acknowledged is on disk."""
    if state.standby:
        yield found("server", "it is a standby", "it takes no writes; set MINOS_DATABASE_URL to the primary", ok=False)
    commits = state.synchronous_commit not in {"off", "local"}
    said = f"fsync {_on(state.fsync)}, full_page_writes {_on(state.full_page_writes)}, synchronous_commit {state.synchronous_commit}"
    advice = (
        "a power cut loses what was acknowledged; ALTER SYSTEM SET each to on, then SELECT pg_reload_conf(); ALTER ROLE ... RESET its own"
    )
    yield found("durability", said, advice, ok=commits and state.fsync and state.full_page_writes)
    advice = "neither a standby nor an archive is possible; ALTER SYSTEM SET wal_level = replica, and restart the server"
    yield warned("write-ahead log", f"wal_level {state.wal_level}", advice, ok=state.wal_level != "minimal")
    advice = "a disk that lies is not found out; stop the server and run `pg_checksums --enable`"
    yield warned("checksums", f"of pages {_on(state.data_checksums)}", advice, ok=state.data_checksums)


def connections(state: Server, workers: int) -> Finding:
    most = state.most_connections if state.role_limit < 0 else min(state.most_connections, state.role_limit)
    needed = workers * OF_AN_API_PROCESS + OF_THE_WORKERS
    said = f"{state.connections} open, {most} possible"
    if state.connections > 0.9 * most:
        return found("connections", said, "soon none is left; raise max_connections (or the role's CONNECTION LIMIT)", ok=False)
    advice = f"{workers} API processes and the workers open up to {needed}; raise max_connections, or put PgBouncer in between"
    return warned("connections", said, advice, ok=needed <= most)


def cleaning(state: Server, dead: Sequence[Dead]) -> Iterator[Finding]:
    on = state.autovacuum and state.track_counts
    yield found(
        "autovacuum", f"autovacuum {_on(state.autovacuum)}, track_counts {_on(state.track_counts)}",
        "tables grow without end; ALTER SYSTEM SET both to on, SELECT pg_reload_conf()", ok=on,
    )  # fmt: skip
    oldest = max(state.oldest_xid, state.oldest_mxid)
    said = f"oldest transaction id {oldest:,} ago"
    advice = f"at {WRAPS_AT:,} the server takes no more writes; run `vacuumdb --freeze` on this database, and find what held it back"
    ages = found if oldest > 0.75 * WRAPS_AT else warned
    yield ages("transaction ids", said, advice, ok=oldest < 1.5 * state.freeze_at)
    advice = "they hold back cleaning up and signals to services; SELECT gid FROM pg_prepared_xacts, then ROLLBACK PREPARED each"
    yield found("prepared", f"{state.forgotten} prepared transactions older than an hour", advice, ok=not state.forgotten)
    said = ", ".join(f"{each.relname} has {each.dead:,} dead rows" for each in dead) or "no table has more dead rows than living ones"
    yield warned("dead rows", said, "VACUUM (VERBOSE) each as its owner, and see what it says holds them", ok=not dead)


def replication(slots: Sequence[Slot]) -> Finding:
    said = ", ".join(f"{each.slot_name} ({each.held / 2**20:,.0f} MiB)" for each in slots)
    advice = "the server keeps its log for them until the disk is full; start who reads them, or SELECT pg_drop_replication_slot(...)"
    return warned("replication slots", f"nobody reads {said}" if slots else "none is left behind", advice, ok=not slots)


def pooler(told: int, there: int) -> Finding:
    """A pooler makes up the process id that it tells a client of."""
    said = "straight to the server" if told == there else "through a pooler: it needs max_prepared_statements, in transaction mode"
    return Finding(check="way", ok=True, detail=said)


def _on(on: bool) -> str:
    return "on" if on else "off"
