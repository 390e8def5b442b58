"""Fills a data folder with people and what they did, as if `minos up` had run there for two months."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import asyncpg
import msgspec
from msgspec import Struct

from adapters import master_key, settings_source
from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.ports import open_ports
from adapters.settings import Settings
from adapters.subject_keks import say_backup_days
from bench.growth.beginning import beginnings
from bench.growth.children import child
from bench.growth.filler import Share
from bench.growth.followers import followed
from bench.growth.lives import EVENTS_EACH
from bench.growth.models import rebuilt_all
from bench.growth.rows import Rows
from bench.over_http import PASSWORD
from bench.running import Running
from migrations import runner
from projections.catalogue import ALL
from workers import desk

PIECE = 2_000
"""People that are copied in together: what they did lies in the log in the order of time."""
SPAN = timedelta(days=60)
XIDS = """
SELECT format('ALTER TABLE %s ALTER COLUMN xid SET (n_distinct = -0.1)', inhrelid::regclass) FROM pg_inherits
WHERE inhparent = 'events'::regclass
"""
"""Appends come in transactions of a few events, and pieces are copied in one of thousands: PostgreSQL is to plan for the former. Else the
sequencer's look for what is new goes through the whole log, as no log has it that came about by appends."""
UNTIL_NOW = timedelta(minutes=10)
Told = Callable[[str], None]


class Filled(Struct, frozen=True, kw_only=True):
    """What filling took, in seconds by stage; `events` are all of the log."""

    users: int
    events: int
    seconds: Mapping[str, float]
    rebuilt: Mapping[str, float]
    """Events a second of each read model's rebuild, one on each core."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A PostgreSQL and a NATS of one data folder, and the environment in which our programs find them."""

    postgres: PostgresServer
    nats: NatsServer
    environment: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        return settings_source.load(self.environment).settings


@asynccontextmanager
async def servers(running: Running) -> AsyncGenerator[Servers]:
    """Start both without the API and the workers, and stop them in the end."""
    running.folder.mkdir(parents=True, exist_ok=True)
    postgres, nats = PostgresServer(running.data / "postgres"), NatsServer(running.data / "nats")
    try:
        await asyncio.gather(postgres.start(), nats.start())
        found = {
            "MINOS_DATABASE_URL": postgres.app_url,
            "MINOS_MIGRATION_DATABASE_URL": postgres.owner_url,
            "MINOS_NATS_URL": nats.url,
            "MINOS_NATS_CREDENTIALS": str(nats.credentials),
            "MINOS_METRICS_PORT": "0",
            "MINOS_LOG_LEVEL": "warning",
        }
        yield Servers(postgres, nats, {**running.environment, **found})
    finally:
        await asyncio.gather(postgres.stop(), nats.stop())


async def fill(running: Running, users: int, told: Told) -> Filled:
    """Fill the data folder of an authority that does not run. Raises ValueError for one that was begun already."""
    seconds: dict[str, float] = {}

    @asynccontextmanager
    async def stage(name: str) -> AsyncGenerator[None]:
        began = monotonic()
        yield
        seconds[name] = monotonic() - began

    async with servers(running) as here:
        began = datetime.now(UTC).replace(microsecond=0) - SPAN
        async with stage("copy"), followed(here.environment, here.postgres.app_url, running.folder) as following:
            share = await _begun(here, began, users)
            await _copied(here, share, users, told)
            told("waiting for the sequencer, the publisher, the tree and the signals")
            events = share.first_id - 1 + users * EVENTS_EACH
            await following.caught_up(events, told)
        async with stage("read models"):
            await _analysed(here.postgres)
            names = [each.name for each in ALL]
            rebuilt = await rebuilt_all(here.postgres.app_url, names, told, at_once=_processes(len(share.pieces)))
        async with stage("vacuum"):
            await _settled(here.postgres, told)
    return Filled(users=users, events=events, seconds=seconds, rebuilt=rebuilt)


async def _begun(here: Servers, began: datetime, users: int) -> Share:
    """Make an empty authority in the past, and room in the log for everybody."""
    settings = here.settings
    owner = await asyncpg.connect(here.postgres.owner_url)
    try:
        await runner.migrate(owner)
        await say_backup_days(owner, settings.backup_days)
        for row in await owner.fetch(XIDS):
            await owner.execute(row[0])
        if await owner.fetchval("SELECT EXISTS (SELECT FROM events)"):
            raise ValueError("there is something in it already: filling begins with an empty folder")
        master_key.make_missing(settings)
        await desk.ensure(here.postgres.app_url)
        async with open_ports(settings) as opened:
            first = await beginnings(
                began, opened.ports, audiences=settings.audiences, algorithm=settings.signing_algorithm, password=PASSWORD
            )
            encoded = await opened.ports.hasher.hash(PASSWORD, network=None)
        rows = Rows(1)
        rows.add(first)
        await rows.copy_in(owner)
        last = rows.next_id + users * EVENTS_EACH - 1
        await owner.execute("SELECT setval(pg_get_serial_sequence('events', 'append_id'), $1)", last)
    finally:
        await owner.close()
    apart = (SPAN - UNTIL_NOW - timedelta(hours=1)).total_seconds() / users
    return Share(pieces=_pieces(users), first_id=rows.next_id, began=began + timedelta(minutes=1), apart=apart, encoded=encoded)


def _pieces(users: int) -> Sequence[tuple[int, int]]:
    return [(first, min(first + PIECE, users)) for first in range(0, users, PIECE)]


def _processes(pieces: int) -> int:
    """Give how many of ours work at a time: one on each core, where there is work for them."""
    return min(len(os.sched_getaffinity(0)), pieces)


async def _copied(here: Servers, share: Share, users: int, told: Told) -> None:
    """Have as many fillers as there are cores share the pieces, and tell how far they are."""
    fillers = _processes(len(share.pieces))
    began, done, next_word = monotonic(), 0, 0.0

    def count(people: int) -> None:
        nonlocal done, next_word
        done += people
        passed = monotonic() - began
        if passed >= next_word or done == users:
            next_word = passed + 5
            told(f"filled {done:,} of {users:,} people, {done / passed:,.0f} a second")

    async with asyncio.TaskGroup() as group:
        for n in range(fillers):
            group.create_task(_filled(here, msgspec.structs.replace(share, pieces=share.pieces[n::fillers]), count))


async def _filled(here: Servers, share: Share, count: Callable[[int], None]) -> None:
    """Run one filler. Raises RuntimeError when it fails."""
    async with child("bench.growth.filler", here.environment) as filler:
        await filler.give(msgspec.json.encode(share))
        filler.give_no_more()
        async for line in filler.lines():
            count(int(line))


async def _analysed(postgres: PostgresServer) -> None:
    """Let PostgreSQL know of what it has, as it does by itself before long."""
    connection = await asyncpg.connect(_as_superuser(postgres))
    try:
        await connection.execute("ANALYZE", timeout=None)
    finally:
        await connection.close()


async def _settled(postgres: PostgresServer, told: Told) -> None:
    """Leave the tables as autovacuum would in time, and let nobody be written to about what happened long ago."""
    told("vacuum, analyze and a checkpoint")
    owner = await asyncpg.connect(postgres.owner_url)
    await owner.execute("UPDATE reactor_state SET position = (SELECT size FROM log_head)")
    await owner.close()
    connection = await asyncpg.connect(_as_superuser(postgres))
    try:
        await connection.execute("VACUUM (ANALYZE)", timeout=None)
        await connection.execute("CHECKPOINT", timeout=None)
    finally:
        await connection.close()


def _as_superuser(postgres: PostgresServer) -> str:
    """Tables of the read models are the serving role's, all others the owner's."""
    return postgres.superuser_url.replace("@/postgres?", "@/minos?")
