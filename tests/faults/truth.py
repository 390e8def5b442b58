"""What must hold of an authority whatever happened to it: the log is whole, and everything else follows from it."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import nats
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from adapters.leaves import leaf_bytes
from adapters.log_reader import LogReader
from adapters.nats_credentials import proof
from bench.running import Running
from domain import codec
from domain.deciders import decider_of
from domain.tree.edge import Edge
from domain.tree.hashing import leaf_hash
from projections.catalogue import BY_NAME
from tests.faults.signals import services_were_told_what_the_log_says
from workers.rebuild import rebuild

CAUGHT_UP = """
SELECT (SELECT size FROM log_head) = (SELECT count(*) FROM events)
   AND (SELECT size FROM log_head) = (SELECT size FROM log_checkpoints ORDER BY epoch DESC, size DESC LIMIT 1)
   AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < (SELECT size FROM log_head))
"""
_CAUGHT_UP_S = 20.0


async def everything_follows_from_the_log(running: Running) -> list[asyncpg.Record]:
    """Check all there is against the log; give its events in order."""
    connection = await asyncpg.connect(running.database_url)
    try:
        async with asyncio.timeout(_CAUGHT_UP_S):
            while not await connection.fetchval(CAUGHT_UP):
                await asyncio.sleep(0.05)
        events = await connection.fetch(
            "SELECT l.position, e.stream, e.version, e.type, e.event_id, e.payload FROM events e"
            " JOIN event_log l USING (append_id) ORDER BY l.position"
        )
        _positions_and_versions_have_no_gap(events)
        await _heads_are_folds(connection, events)
        await _checkpoints_are_of_the_log(running, connection)
        await _stream_is_the_log(running, events)
        await _services_were_told(running, connection, events)
        await _read_models_are_folds(running, connection)
        return events
    finally:
        await connection.close()


def _positions_and_versions_have_no_gap(events: list[asyncpg.Record]) -> None:
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["event_id"] for event in events}) == len(events)
    reached: dict[str, int] = defaultdict(int)
    for event in events:
        reached[event["stream"]] += 1
        assert event["version"] == reached[event["stream"]], f"{event['stream']} has a gap before {event['version']}"


async def _checkpoints_are_of_the_log(running: Running, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Every one that was published of this epoch, at its size."""
    (epoch,) = await connection.fetchrow("SELECT epoch FROM log_head") or (0,)
    reader = LogReader(running.database_url)
    page = await reader.read(0, 1_000_000)
    await reader.close()
    published = {
        row["size"]: row["root"] for row in await connection.fetch("SELECT size, root FROM log_checkpoints WHERE epoch = $1", epoch)
    }
    edge = Edge()
    for event in page.events:
        edge.add([leaf_hash(leaf_bytes(event))])
        if edge.size in published:
            assert published.pop(edge.size) == edge.root(), f"the checkpoint of {edge.size} events is not of the log"
    assert not published


async def _heads_are_folds(connection: "asyncpg.Connection[asyncpg.Record]", events: list[asyncpg.Record]) -> None:
    histories: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        histories[event["stream"]].append(codec.decode_event(event["type"], event["payload"]))
    heads = await connection.fetch("SELECT stream, version, state FROM heads")
    assert {head["stream"] for head in heads} == histories.keys()
    for head in heads:
        history = histories[head["stream"]]
        of = decider_of(head["stream"])
        assert of is not None
        assert head["version"] == len(history)
        assert codec.decode_state(of, head["state"]) == of.fold(history), f"the head of {head['stream']} is not what its events fold to"


async def _stream_is_the_log(running: Running, events: list[asyncpg.Record]) -> None:
    epoch = await _epoch(running)
    name = "MINOS_EVENTS" if epoch == 1 else f"MINOS_EVENTS_E{epoch}"
    client = await nats.connect(running.nats.url, **proof(running.nats.credentials))
    try:
        stream = client.jetstream()
        async with asyncio.timeout(_CAUGHT_UP_S):
            while await _end_of(stream, name) < len(events):
                await asyncio.sleep(0.05)
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        subscription = await stream.subscribe("minos.events.>", stream=name, ordered_consumer=True, config=config)
        told: list[tuple[int, UUID]] = []
        while len(told) < len(events):
            message = await subscription.next_msg(timeout=5)
            told.append((message.metadata.sequence.stream, UUID(msgspec.json.decode(message.data)["event_id"])))
        assert told == [(event["position"], event["event_id"]) for event in events]
        assert await _end_of(stream, name) == len(events)
    finally:
        await client.close()


async def _services_were_told(running: Running, connection: "asyncpg.Connection[asyncpg.Record]", events: list[asyncpg.Record]) -> None:
    client = await nats.connect(running.nats.url, **proof(running.nats.credentials))
    try:
        await services_were_told_what_the_log_says(client, connection, events)
    finally:
        await client.close()


async def _end_of(stream: JetStreamContext, name: str) -> int:
    """Give 0 for a stream that the publisher has not made yet."""
    try:
        return (await stream.stream_info(name)).state.last_seq
    except NotFoundError:
        return 0


async def _epoch(running: Running) -> int:
    connection = await asyncpg.connect(running.database_url)
    try:
        epoch: int = await connection.fetchval("SELECT epoch FROM log_head")
        return epoch
    finally:
        await connection.close()


async def _read_models_are_folds(running: Running, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Build each anew from the log beside the one that serves, and compare row by row."""
    for name, projection in BY_NAME.items():
        serving = await connection.fetchval("SELECT version FROM projection_active WHERE name = $1", name)
        built = await rebuild(running.database_url, name, switch=False)
        live, fresh = (f"read.{name}_v{projection.fold_version}_g{generation}" for generation in (serving, built.generation))
        differing = await connection.fetchval(
            f"SELECT count(*) FROM ((TABLE {live} EXCEPT TABLE {fresh}) UNION ALL (TABLE {fresh} EXCEPT TABLE {live})) d"
        )
        assert differing == 0, f"{differing} rows of {name} are not what the log folds to"
        assert await connection.fetchval("SELECT count(*) FROM projection_parked WHERE name = $1", name) == 0
