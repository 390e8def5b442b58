"""Appends to the log's own stream within the transaction of the owner that does what is told: both happen, or neither."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from adapters.event_store import SQL
from adapters.event_store_columns import columns, stored_event, stored_head
from adapters.lone_append import DONE, appended
from adapters.postgres import Connection
from commands.ports import Commit, NewEvent, StoredHead, StreamWrite
from commands.transact import decoded, event_id
from domain import codec, log
from domain.ids import CommandId, CorrelationId
from domain.log import Log, LogEvent

ATTEMPTS = 16


class NotTold(Exception):
    """Others wrote the log's stream each time: the transaction has to be given up."""


async def tell(connection: Connection, decide: Callable[[Log, datetime], Sequence[LogEvent]], *, actor: str) -> Sequence[LogEvent]:
    """Append what is decided on the stream as it is, and give it. Raises NotTold."""
    for _ in range(ATTEMPTS):
        (row,) = await connection.fetch(SQL["load_heads"], [log.STREAM])
        head = stored_head(log.STREAM, row)
        state = await _state(connection, head)
        events = decide(state, row["at"])
        if not events:
            return events
        (answer,) = await connection.fetch(
            SQL["append"], *columns([_commit(head, log.decider.fold(events, state), events, actor)], wait=True)
        )
        if appended(answer) is DONE:
            return events
    raise NotTold


async def _state(connection: Connection, head: StoredHead) -> Log:
    if head.version == 0:
        return log.decider.initial
    if head.state is not None and head.state_version == log.decider.state_version:
        return codec.decode_state(log.decider, head.state)
    stored = [stored_event(row) for row in await connection.fetch(SQL["read_stream"], log.STREAM, 0, None)]
    return log.decider.fold(event for event in decoded(head, stored) if isinstance(event, LogEvent))


def _commit(head: StoredHead, state: Log, events: Sequence[LogEvent], actor: str) -> Commit:
    command_id = CommandId(uuid4())
    write = StreamWrite(
        stream=head.stream,
        expected=head.version,
        events=tuple(
            NewEvent(event_id=event_id(command_id, n), type=codec.tag_of(event), payload=codec.encode_event(event), key_id=None)
            for n, event in enumerate(events)
        ),
        state=codec.encode_state(state),
        state_version=log.decider.state_version,
    )
    return Commit(
        command_id=command_id,
        actor=actor,
        session_id=None,
        correlation_id=CorrelationId(uuid4()),
        causation_id=None,
        writes=(write,),
    )
