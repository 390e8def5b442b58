"""How long a committed event takes to its position, to NATS, into the read models and under a checkpoint, at a steady pace."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.event_store import PostgresEventStore
from adapters.hints import APPENDED, SEQUENCED, Hints
from adapters.nats_client import settled
from adapters.nats_credentials import proof
from bench.fill import session_events
from bench.running import Running
from bench.scale import Measuring
from commands.ports import AppendResult, Commit, NewEvent, StreamWrite
from domain import codec, session, session_state
from domain.ids import CommandId, CorrelationId, EventId, SessionId, UserId

PER_SECOND = 1_000
_ARRIVED_S = 15.0
_POSITION = "SELECT min(s.position) FROM projection_state s JOIN projection_active a ON a.name = s.name AND a.version = s.version"

_SIGNED = "SELECT size FROM log_checkpoints ORDER BY epoch DESC, size DESC LIMIT 1"


class _Told(Struct, frozen=True):
    event_id: UUID
    position: int


@dataclass
class _Seen:
    """When each event was committed and told, by the clock of this process; and how far things were, when."""

    committed: dict[UUID, float] = field(default_factory=dict[UUID, float])
    told: dict[UUID, tuple[float, int]] = field(default_factory=dict[UUID, tuple[float, int]])
    sequenced: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    projected: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    signed: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


async def measure(running: Running, measuring: Measuring) -> None:
    """Append as the API does, hint included, and watch as others do. What a watcher takes of the machine is in the figures."""
    store = PostgresEventStore(running.database_url)
    client = Client()
    await client.connect(running.nats.url, **proof(running.nats.credentials))
    try:
        await _paced(store, client, 0.5, _Seen())
        for _ in range(measuring.scale.rounds):
            measuring.told("hops")
            seen = await _watched(running, store, client, measuring.scale.seconds)
            measuring.rounds.add(
                sequenced_p99=_p99(_late(seen, seen.sequenced)),
                nats_p99=_p99([seen.told[event][0] - at for event, at in seen.committed.items()]),
                projection_p99=_p99(_late(seen, seen.projected)),
                checkpoint_p99=_p99(_late(seen, seen.signed)),
            )
    finally:
        await client.close()
        await store.close()


async def _watched(running: Running, store: PostgresEventStore, client: Client, seconds: float) -> _Seen:
    seen = _Seen()
    hinted = asyncio.Event()

    async def on_message(message: Msg) -> None:
        now, event = perf_counter(), msgspec.json.decode(message.data, type=_Told)
        seen.told[event.event_id] = (now, event.position)

    async def on_hint(_: Msg) -> None:
        hinted.set()

    listening = [
        await client.subscribe(subject, cb=callback)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves a parameter untyped
        for subject, callback in (("minos.events.>", on_message), (SEQUENCED, on_hint))
    ]
    await settled(client)
    watching = [
        asyncio.create_task(_watch(running.database_url, "SELECT size FROM log_head", seen.sequenced, hinted)),
        asyncio.create_task(_watch(running.database_url, _POSITION, seen.projected, None)),
        asyncio.create_task(_watch(running.database_url, _SIGNED, seen.signed, None)),
    ]
    try:
        await _paced(store, client, seconds, seen)
        async with asyncio.timeout(_ARRIVED_S):
            while not _arrived(seen):
                await asyncio.sleep(0.05)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        for subscription in listening:
            await subscription.unsubscribe()
    return seen


def _arrived(seen: _Seen) -> bool:
    if not seen.committed.keys() <= seen.told.keys():
        return False
    last = max(seen.told[event][1] for event in seen.committed)
    return all(watched and watched[-1][1] >= last for watched in (seen.sequenced, seen.projected, seen.signed))


async def _watch(url: str, question: str, into: list[tuple[float, int]], hinted: asyncio.Event | None) -> None:
    """Note how far it is, at each hint or every 5 ms."""
    connection = await asyncpg.connect(url)
    try:
        statement = await connection.prepare(question)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.005 if hinted is None else 0.1):
                    await (hinted or asyncio.Event()).wait()
            if hinted is not None:
                hinted.clear()
            reached = await statement.fetchval() or 0
            into.append((perf_counter(), reached))
    finally:
        connection.terminate()


def _late(seen: _Seen, watched: Sequence[tuple[float, int]]) -> list[float]:
    """How long after its commit each event was first seen to be reached."""
    by_position = sorted((seen.told[event][1], at) for event, at in seen.committed.items())
    late: list[float] = []
    looks = iter(watched)
    when, reached = next(looks)
    for position, at in by_position:
        while reached < position:
            when, reached = next(looks)
        late.append(when - at)
    return late


def _p99(late: Sequence[float]) -> float:
    return max(0.0, sorted(late)[len(late) * 99 // 100] * 1000)


async def _paced(store: PostgresEventStore, client: Client, seconds: float, seen: _Seen) -> None:
    """Begin sessions and refresh them, one event a command, PER_SECOND of them."""
    hints = Hints(client, APPENDED)
    sessions = [_Session() for _ in range(256)]
    began = perf_counter()

    async def one(commit: Commit) -> None:
        answer = await store.append(commit)
        if answer.result is not AppendResult.DONE:
            raise AssertionError(f"the session is ours alone, yet {answer.result}")
        seen.committed[commit.writes[0].events[0].event_id] = perf_counter()
        hints.gather()

    async with asyncio.TaskGroup() as group:
        for n in range(int(PER_SECOND * seconds)):
            if (ahead := began + n / PER_SECOND - perf_counter()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(one(sessions[n % len(sessions)].next()))
    await hints.close()


class _Session:
    """A session of nobody, one step at a time."""

    def __init__(self) -> None:
        self._id = SessionId(uuid4())
        self._steps = session_events(self._id, UserId(uuid4()), 1_000)
        self._state: session_state.Session = session.decider.initial
        self._version = 0

    def next(self) -> Commit:
        event = next(self._steps)
        self._state = session_state.evolve(self._state, event)
        command = uuid4()
        new = NewEvent(event_id=EventId(uuid4()), type=codec.tag_of(event), payload=codec.encode_event(event), key_id=None)
        write = StreamWrite(
            stream=session.stream(self._id), expected=self._version, events=(new,), state=codec.encode_state(self._state), state_version=1
        )
        self._version += 1
        return Commit(
            command_id=CommandId(command), actor="system:bench", session_id=None, correlation_id=CorrelationId(command), causation_id=None,
            writes=(write,),
        )  # fmt: skip
