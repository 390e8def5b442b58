"""Logs with a past: many events at once, by the owner role, as if they had been appended and sequenced one by one."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg

from domain import codec, session, user
from domain.event import Event, Sealed
from domain.ids import AudienceName, ClaimId, ClientId, RoleName, SessionId, StreamName, SubjectKeyId, UserId
from domain.session_events import AuthMethod, SessionStarted, TokenIssued
from domain.user_events import PasswordReason, PasswordSet, ProfileChanged, RegisteredBy, UserEvent, UserRegistered

EVENTS_PER_STREAM = 10
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = ("append_id", "stream", "version", "type", "slot", "event_id", "actor", "command_id", "correlation_id", "key_id", "payload")

SAME_EVENTS = """
INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
SELECT 'bench-' || s, v, 'bench.happened.v1', stream_slot('bench-' || s), gen_random_uuid(), 'system', gen_random_uuid(),
       gen_random_uuid(), $3::bytea
FROM generate_series($1::bigint, $2::bigint) s, generate_series(1, 10) v
"""
SAME_HEADS = (
    "INSERT INTO heads (stream, version, state, state_version) SELECT 'bench-' || s, 10, $2::bytea, 1 FROM generate_series(1, $1::bigint) s"
)
SEQUENCED = """
WITH ids AS (SELECT min(append_id) AS low, count(*) AS n FROM events),
run AS (INSERT INTO log_runs SELECT 1, low, n FROM ids)
UPDATE log_head SET size = (SELECT n FROM ids), snapshot = pg_current_snapshot()
"""


async def many_alike(owner_url: str, streams: int, *, payload: bytes, state: bytes, events: bool) -> None:
    """Make `streams` heads at version 10, and with `events` the ten events of each."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("SET synchronous_commit = off")
        await connection.execute(SAME_HEADS, streams, state)
        if events:
            for low in range(1, streams + 1, 10_000):
                await connection.execute(SAME_EVENTS, low, min(low + 9_999, streams), payload)
            await connection.execute(SEQUENCED)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def real_histories(owner_url: str, events: int) -> None:
    """Fill an empty log with accounts and sessions, as many events of either, each head what its events fold to."""
    connection = await asyncpg.connect(owner_url)
    try:
        for low in range(0, events, 20_000):
            rows, heads = await asyncio.to_thread(_rows, low, min(events, low + 20_000))
            await connection.copy_records_to_table("events", records=rows, columns=_COLUMNS)
            await connection.copy_records_to_table("heads", records=heads, columns=("stream", "version", "state", "state_version"))
        await connection.execute(SEQUENCED)
        await connection.execute("SELECT setval(pg_get_serial_sequence('events', 'append_id'), $1)", events)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _rows(low: int, high: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    rows: list[tuple[Any, ...]] = []
    heads: list[tuple[Any, ...]] = []
    for number in range(low, high, EVENTS_PER_STREAM):
        name, events, state, state_version = _session_history() if number // EVENTS_PER_STREAM % 2 else _user_history()
        rows += [_row(number + version, name, version, event) for version, event in enumerate(events, start=1)]
        heads.append((name, len(events), state, state_version))
    return rows, heads


def _row(append_id: int, name: StreamName, version: int, event: Event) -> tuple[Any, ...]:
    identity, tag, key = uuid4(), codec.tag_of(event), codec.key_of(event)
    return (append_id, name, version, tag, slot(name), identity, "system", identity, identity, key, codec.encode_event(event))


def slot(name: StreamName) -> int:
    return sha256(name.encode()).digest()[0] & 63


def _session_history() -> tuple[StreamName, Sequence[Event], bytes, int]:
    session_id = SessionId(uuid4())
    events = list(session_events(session_id, UserId(uuid4()), EVENTS_PER_STREAM))
    return session.stream(session_id), events, codec.encode_state(session.decider.fold(events)), session.decider.state_version


def session_events(session_id: SessionId, user_id: UserId, n: int) -> Iterator[SessionStarted | TokenIssued]:
    """A session that is refreshed until it has `n` events."""
    ends = _BEGAN + timedelta(days=90)
    yield SessionStarted(
        at=_BEGAN, session_id=session_id, user_id=user_id, token_epoch=0, audiences=(AudienceName("minos"),), client_id=ClientId("minos"),
        amr=(AuthMethod.PASSWORD,), seed=session_id.bytes * 2, idle_ttl=1_209_600, expires_at=ends,
        network=None, user_agent=None, device_name=None,
    )  # fmt: skip
    for generation in range(1, n):
        at = _BEGAN + timedelta(minutes=4 * generation)
        yield TokenIssued(
            at=at, session_id=session_id, user_id=user_id, generation=generation, key_version=1, audience=AudienceName("minos"),
            access_expires_at=at + timedelta(minutes=5), idle_expires_at=at + timedelta(days=14),
        )  # fmt: skip


def _user_history() -> tuple[StreamName, Sequence[Event], bytes, int]:
    user_id, key = UserId(uuid4()), SubjectKeyId(uuid4())
    sealed = Sealed(key_id=key, box=key.bytes * 4)
    events: list[UserEvent] = [
        UserRegistered(
            at=_BEGAN, user_id=user_id, email=sealed, email_claim=ClaimId(uuid4()), username=None, username_claim=None, name=sealed,
            roles=(RoleName("user"),), registered_by=RegisteredBy.SELF,
        ),
        PasswordSet(at=_BEGAN, user_id=user_id, password=sealed, password_version=1, token_epoch=0, reason=PasswordReason.CHOSEN),
    ]  # fmt: skip
    events += [ProfileChanged(at=_BEGAN + timedelta(days=n), user_id=user_id, name=sealed) for n in range(2, EVENTS_PER_STREAM)]
    return user.stream(user_id), events, codec.encode_state(user.decider.fold(events)), user.decider.state_version
