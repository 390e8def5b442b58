"""The event store by itself, called in process: how fast it appends, and what positions and a long past cost it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from adapters.children import spawn, stop
from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from bench import append, databases, fill
from bench.running import minos
from bench.scale import Measuring
from bench.sequencing import sequencer_cost
from bench.tree import tree_cost
from commands.ports import AppendResult
from domain.ids import StreamName

_CAUGHT_UP_S = 60.0


async def measure(folder: Path, measuring: Measuring) -> None:
    postgres, nats = PostgresServer(folder / "postgres"), NatsServer(folder / "nats")
    await asyncio.gather(postgres.start(), nats.start())
    try:
        await databases.migrate(postgres.owner_url)
        await _appends(postgres, nats, folder, measuring)
        await _past(postgres, measuring)
    finally:
        await asyncio.gather(postgres.stop(), nats.stop())


async def _appends(postgres: PostgresServer, nats: NatsServer, folder: Path, measuring: Measuring) -> None:
    """With a sequencer in a process of its own beside, as it is served."""
    scale = measuring.scale
    measuring.told("sequencer's cost")
    cost = await sequencer_cost(postgres.app_url, seconds=scale.seconds, rounds=scale.pairs)
    for ratio in cost.rounds:
        measuring.rounds.add(sequencer_cost=100 * (1 - ratio))
    measuring.told("audit tree's cost")
    cost = await tree_cost(postgres.app_url, folder, seconds=scale.seconds, rounds=scale.pairs)
    for ratio in cost.rounds:
        measuring.rounds.add(tree_cost=100 * (1 - ratio))
    environment = {
        "MINOS_DATABASE_URL": postgres.app_url,
        "MINOS_NATS_URL": nats.url,
        "MINOS_NATS_CREDENTIALS": str(nats.credentials),
        "MINOS_METRICS_PORT": "0",
        "PATH": "/usr/bin:/bin",
    }
    store = PostgresEventStore(postgres.app_url)
    with (folder / "sequencer.log").open("ab") as output:
        sequencer = spawn([*minos(), "work", "sequencer"], cwd=folder, output=output, env=environment)
    try:
        await _caught_up(postgres.app_url)
        for _ in range(scale.rounds):
            measuring.told("append")
            measuring.rounds.add(
                append_128=(await append.appends(store, callers=128, seconds=scale.seconds)).per_second,
                append_16=(await append.appends(store, callers=16, seconds=scale.seconds)).per_second,
                append_1=(await append.appends(store, callers=1, seconds=scale.seconds)).per_second,
            )
            await _written_out(postgres)
            measuring.rounds.add(append_p99=(await append.paced_appends(store, per_second=1_000, seconds=scale.seconds)).p99_ms)
    finally:
        await stop(sequencer)
        await store.close()


async def _written_out(postgres: PostgresServer) -> None:
    """Have a checkpoint behind us, so that what comes next does not share the disk with what was before."""
    connection = await asyncpg.connect(postgres.superuser_url)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _caught_up(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(_CAUGHT_UP_S):
            while not await connection.fetchval("SELECT (SELECT count(*) FROM events) = (SELECT size FROM log_head)"):
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def _past(postgres: PostgresServer, measuring: Measuring) -> None:
    """The same heads twice, one log with all their events and one with none."""
    measuring.told(f"filling a log with {measuring.scale.stored_events:,} events")
    streams = measuring.scale.stored_events // fill.EVENTS_PER_STREAM
    stores: list[PostgresEventStore] = []
    try:
        for name in ("bench_empty", "bench_full"):
            serving, owner = await databases.migrated(postgres, name)
            await fill.many_alike(owner, streams, payload=append.PAYLOAD, state=append.STATE, events=name == "bench_full")
            stores.append(PostgresEventStore(serving))
        await _written_out(postgres)
        versions: list[dict[int, int]] = [{}, {}]
        for _ in range(measuring.scale.pairs):
            measuring.told("append to a long log")
            rates = [await _to_any(store, known, streams, measuring.scale.seconds) for store, known in zip(stores, versions, strict=True)]
            measuring.rounds.add(full_ratio=rates[1] / rates[0])
    finally:
        for store in stores:
            await store.close()


async def _to_any(store: PostgresEventStore, known: dict[int, int], streams: int, seconds: float) -> float:
    """Append to streams picked by chance from all there are; give the rate."""

    def caller(number: int) -> Callable[[], Awaitable[None]]:
        chance = random.Random(number)

        async def once() -> None:
            picked = chance.randrange(number + 1, streams + 1, 64)  # no two callers pick the same
            version = known.get(picked, fill.EVENTS_PER_STREAM)
            answer = await store.append(append.commit(StreamName(f"bench-{picked}"), version))
            if answer.result is not AppendResult.DONE:
                raise AssertionError(f"nobody else appends to bench-{picked}, yet {answer.result}")
            known[picked] = version + 1

        return once

    return (await append.run([caller(n) for n in range(64)], seconds)).per_second
