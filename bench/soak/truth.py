"""What must hold of an authority whatever happened to it: the log is whole, and everything else follows from it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from adapters.leaves import leaf_bytes
from adapters.log_reader import LogReader
from adapters.nats_client import NatsConnection
from bench.soak.told import services_were_told_what_the_log_says
from domain import codec
from domain.deciders import decider_of
from domain.tree.edge import Edge
from domain.tree.hashing import leaf_hash
from projections.catalogue import BY_NAME
from workers.rebuild import rebuild

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CAUGHT_UP = """
SELECT (SELECT size FROM log_head) = (SELECT count(*) FROM events)
   AND (SELECT size FROM log_head) = (SELECT size FROM log_checkpoints ORDER BY epoch DESC, size DESC LIMIT 1)
   AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < (SELECT size FROM log_head))
"""
_CAUGHT_UP_S = 20.0


class NatsPlace(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def credentials(self) -> Path: ...


class Authority(Protocol):
    """One that runs: where its database is, for the serving role, and where its NATS is, with what proves that one is Minos."""

    @property
    def database_url(self) -> str: ...
    @property
    def nats(self) -> NatsPlace: ...


class Check(Protocol):
    async def __call__(self, running: Authority, connection: Connection, events: Sequence[asyncpg.Record], /) -> None: ...


async def everything_follows_from_the_log(running: Authority) -> Sequence[asyncpg.Record]:
    """Check all there is against the log; give its events in order. Raises AssertionError or TimeoutError."""
    connection = await asyncpg.connect(running.database_url)
    try:
        events = await events_of(connection)
        for check in CHECKS.values():
            await check(running, connection, events)
        return events
    finally:
        await connection.close()


async def all_checked(running: Authority) -> tuple[Sequence[asyncpg.Record], Mapping[str, str]]:
    """The same to its end, whatever is found: by what was checked, what is wrong; empty where nothing is."""
    connection = await asyncpg.connect(running.database_url)
    try:
        events = await events_of(connection)
        return events, {title: await _found(check, running, connection, events) for title, check in CHECKS.items()}
    finally:
        await connection.close()


async def _found(check: "Check", running: Authority, connection: Connection, events: Sequence[asyncpg.Record]) -> str:
    try:
        await check(running, connection, events)
    except (AssertionError, TimeoutError) as wrong:
        return str(wrong) or "it was not so in time"
    return ""


async def events_of(connection: Connection) -> Sequence[asyncpg.Record]:
    """Wait until every event has a position and every read model and checkpoint is there, and give them in order."""
    async with asyncio.timeout(_CAUGHT_UP_S):
        while not await connection.fetchval(CAUGHT_UP):
            await asyncio.sleep(0.05)
    return await connection.fetch(
        "SELECT l.position, e.stream, e.version, e.type, e.event_id, e.payload FROM events e"
        " JOIN event_log l USING (append_id) ORDER BY l.position"
    )


async def _positions_and_versions_have_no_gap(_running: Authority, _: Connection, events: Sequence[asyncpg.Record]) -> None:
    assert [event["position"] for event in events] == list(range(1, len(events) + 1)), "positions have a gap"
    assert len({event["event_id"] for event in events}) == len(events), "an event is there twice"
    reached: dict[str, int] = defaultdict(int)
    for event in events:
        reached[event["stream"]] += 1
        assert event["version"] == reached[event["stream"]], f"{event['stream']} has a gap before {event['version']}"


async def _checkpoints_are_of_the_log(running: Authority, connection: Connection, _: Sequence[asyncpg.Record]) -> None:
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
    assert not published, f"there are checkpoints of {sorted(published)} events, which the log has not"


async def _heads_are_folds(_: Authority, connection: Connection, events: Sequence[asyncpg.Record]) -> None:
    histories: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        histories[event["stream"]].append(codec.decode_event(event["type"], event["payload"]))
    heads = await connection.fetch("SELECT stream, version, state FROM heads")
    assert {head["stream"] for head in heads} == histories.keys(), "there are heads without events, or the other way round"
    for head in heads:
        history = histories[head["stream"]]
        of = decider_of(head["stream"])
        assert of is not None, f"nobody decides about {head['stream']}"
        assert head["version"] == len(history), f"the head of {head['stream']} is at another version than its events"
        assert codec.decode_state(of, head["state"]) == of.fold(history), f"the head of {head['stream']} is not what its events fold to"


async def _stream_is_the_log(running: Authority, connection: Connection, events: Sequence[asyncpg.Record]) -> None:
    name = await stream_of(connection)
    async with connected(running) as client:
        stream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py leaves a parameter untyped
        async with asyncio.timeout(_CAUGHT_UP_S):
            while await _end_of(stream, name) < len(events):
                await asyncio.sleep(0.05)
        told = await _told(stream, name, len(events))
        assert await _end_of(stream, name) == len(events), "the stream of NATS goes on after the log"
    assert told == [(event["position"], event["event_id"]) for event in events], "the stream of NATS is not the log"


async def _told(stream: JetStreamContext, name: str, count: int) -> Sequence[tuple[int, UUID]]:
    """Read a stream by a consumer that keeps the order and leaves nothing behind."""
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    subscription = await stream.subscribe("minos.events.>", stream=name, ordered_consumer=True, config=config)
    told: list[tuple[int, UUID]] = []
    while len(told) < count:
        message = await subscription.next_msg(timeout=5)
        told.append((message.metadata.sequence.stream, UUID(msgspec.json.decode(message.data)["event_id"])))
    return told


async def _services_were_told(running: Authority, connection: Connection, events: Sequence[asyncpg.Record]) -> None:
    async with connected(running) as client:
        await services_were_told_what_the_log_says(client, connection, events)


@asynccontextmanager
async def connected(running: Authority) -> AsyncGenerator[Client]:
    """A connection to its NATS, as Minos itself."""
    connection = NatsConnection(running.nats.url, credentials=running.nats.credentials, name="bench")
    await connection.connect()
    try:
        yield connection.client
    finally:
        await connection.close()


async def _end_of(stream: JetStreamContext, name: str) -> int:
    """Give 0 for a stream that the publisher has not made yet."""
    try:
        return (await stream.stream_info(name)).state.last_seq
    except NotFoundError:
        return 0


async def stream_of(connection: Connection) -> str:
    epoch: int = await connection.fetchval("SELECT epoch FROM log_head")
    return "MINOS_EVENTS" if epoch == 1 else f"MINOS_EVENTS_E{epoch}"


async def _read_models_are_folds(running: Authority, connection: Connection, _: Sequence[asyncpg.Record]) -> None:
    """Build each anew from the log beside the one that serves, and compare row by row."""
    for name, projection in BY_NAME.items():
        serving = await connection.fetchval("SELECT version FROM projection_active WHERE name = $1", name)
        built = await rebuild(running.database_url, name, switch=False)
        live, fresh = (f"read.{name}_v{projection.fold_version}_g{generation}" for generation in (serving, built.generation))
        differing = await connection.fetchval(
            f"SELECT count(*) FROM ((TABLE {live} EXCEPT TABLE {fresh}) UNION ALL (TABLE {fresh} EXCEPT TABLE {live})) d"  # noqa: S608
        )
        assert differing == 0, f"{differing} rows of {name} are not what the log folds to"
        parked = await connection.fetchval("SELECT count(*) FROM projection_parked WHERE name = $1", name)
        assert parked == 0, f"{parked} streams of {name} are parked"


CHECKS: Mapping[str, Check] = {
    "positions and versions have no gap": _positions_and_versions_have_no_gap,
    "heads are what their events fold to": _heads_are_folds,
    "every checkpoint is of the log": _checkpoints_are_of_the_log,
    "the stream of NATS is the log": _stream_is_the_log,
    "services were told what the log says": _services_were_told,
    "every read model is a fresh fold": _read_models_are_folds,
}
