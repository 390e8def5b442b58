"""Which commits the workers hear of at once: all but those that only begin or refresh a session (docs/adr, 19)."""

from uuid import uuid4

import pytest

from api.composition import _unhurried
from api.waiting import Waiting
from commands.ports import Commit, NewEvent, StreamWrite
from domain import codec
from domain.errors import TooManyWaiting
from domain.ids import CommandId, CorrelationId, EventId, StreamName

BEGINS, REFRESHES = "session.started.v1", "session.token_issued.v1"


def commit(*types: str) -> Commit:
    command = uuid4()
    events = tuple(NewEvent(event_id=EventId(uuid4()), type=tag, payload=b"{}", key_id=None) for tag in types)
    write = StreamWrite(stream=StreamName(f"session-{uuid4()}"), expected=0, events=events, state=b"", state_version=1)
    return Commit(
        command_id=CommandId(command), actor="system:test", session_id=None, correlation_id=CorrelationId(command), causation_id=None,
        writes=(write,),
    )  # fmt: skip


@pytest.mark.parametrize("types", [(BEGINS, REFRESHES), (REFRESHES,)])
def test_beginning_and_refreshing_a_session_is_in_no_hurry(types: tuple[str, ...]) -> None:
    assert _unhurried(commit(*types))


@pytest.mark.parametrize("tag", sorted(codec.EVENT_TYPES.keys() - {BEGINS, REFRESHES}))
def test_everything_else_is_told_at_once_also_beside_a_sign_in(tag: str) -> None:
    assert not _unhurried(commit(tag))
    assert not _unhurried(commit(BEGINS, REFRESHES, tag))


def test_whoever_waits_for_a_write_hurries_the_workers_and_who_may_not_wait_does_not() -> None:
    hurried: list[None] = []
    waiting = Waiting(lambda: hurried.append(None))
    with waiting.one_more("ada"), waiting.one_more("ada"), waiting.one_more("ada"), waiting.one_more("ada"):
        assert len(hurried) == 4
        with pytest.raises(TooManyWaiting), waiting.one_more("ada"):
            pass
    assert len(hurried) == 4
