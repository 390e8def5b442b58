"""Commits as the arrays that `append_commits` takes, and rows as what the rest of Minos knows."""

from collections.abc import Sequence
from typing import Any

from asyncpg import Record

from commands.ports import Commit, StoredEvent, StoredHead
from domain.ids import StreamName

PAYLOAD_LIMIT = 32_768
"""Bytes; a leaf of the log with such a payload still fits the 65,535 of C2SP tlog-tiles."""


def keys(commit: Commit) -> Sequence[object]:
    """What no two commits of one batch may have in common."""
    if not commit.claims and commit.idempotency is None:
        return [write.stream for write in commit.writes]
    return [
        *(write.stream for write in commit.writes),
        *{(change.claim.index_version, change.claim.mac) for change in commit.claims},
        *(() if commit.idempotency is None else (commit.idempotency.key,)),
    ]


def check(commit: Commit) -> None:
    """Raise ValueError for a commit that no handler may make: nothing in it, a stream twice, a payload too large, a name for nobody."""
    streams = {write.stream for write in commit.writes}
    if not streams or len(streams) != len(commit.writes):
        raise ValueError("a commit writes at least one stream, and each once")
    for write in commit.writes:
        if write.expected < 0 or any(len(event.payload) > PAYLOAD_LIMIT for event in write.events):
            raise ValueError(f"a write to {write.stream} has a negative version or more than {PAYLOAD_LIMIT} bytes in an event")
    if any(change.take and change.holder is None for change in commit.claims):
        raise ValueError("a name is taken for somebody")


def columns(commits: Sequence[Commit], *, wait: bool) -> tuple[object, ...]:
    """The arguments of `append`, commands numbered from 1 in the order given."""
    writes: tuple[list[Any], ...] = ([], [], [], [], [], [])
    events: tuple[list[Any], ...] = ([], [], [], [], [], [], [], [], [], [], [], [])
    claims: tuple[list[Any], ...] = ([], [], [], [], [], [])
    answers: tuple[list[Any], ...] = ([], [], [], [], [])
    for number, commit in enumerate(commits, 1):
        _add_writes(writes, events, number, commit)
        for change in commit.claims:
            _add_row(claims, number, change.claim.index_version, change.claim.mac, change.stream, change.take, change.holder)
        if (kept := commit.idempotency) is not None:
            _add_row(answers, number, kept.key, kept.digest, kept.outcome, commit.actor)
    return (len(commits), wait, *writes, *events, *claims, *answers)


def _add_row(columns: tuple[list[Any], ...], *row: object) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def _add_writes(writes: tuple[list[Any], ...], events: tuple[list[Any], ...], number: int, commit: Commit) -> None:
    w_command, w_stream, w_expected, w_count, w_state, w_state_version = writes
    (e_command, e_stream, e_version, e_type, e_id, e_actor, e_session,
     e_command_id, e_correlation, e_causation, e_key, e_payload) = events  # fmt: skip
    for write in commit.writes:
        w_command.append(number)
        w_stream.append(write.stream)
        w_expected.append(write.expected)
        w_count.append(len(write.events))
        w_state.append(write.state)
        w_state_version.append(write.state_version)
        for version, event in enumerate(write.events, write.expected + 1):
            e_command.append(number)
            e_stream.append(write.stream)
            e_version.append(version)
            e_type.append(event.type)
            e_id.append(event.event_id)
            e_actor.append(commit.actor)
            e_session.append(commit.session_id)
            e_command_id.append(commit.command_id)
            e_correlation.append(commit.correlation_id)
            e_causation.append(commit.causation_id)
            e_key.append(event.key_id)
            e_payload.append(event.payload)


def stored_head(stream: StreamName, row: Record) -> StoredHead:
    """Read the first columns of `load_heads` and `find_holders`: version, state, state_version."""
    return StoredHead(stream=stream, version=row[0] or 0, state=row[1], state_version=row[2] or 0)


def stored_event(row: Record) -> StoredEvent:
    """Read the first fourteen columns of `read_stream` and `read_log`, in their order."""
    return StoredEvent(
        position=row[0],
        append_id=row[1],
        stream=row[2],
        version=row[3],
        type=row[4],
        event_id=row[5],
        recorded_at=row[6],
        actor=row[7],
        session_id=row[8],
        command_id=row[9],
        correlation_id=row[10],
        causation_id=row[11],
        key_id=row[12],
        payload=row[13],
    )
