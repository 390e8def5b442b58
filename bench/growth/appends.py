"""How fast a log of some size takes real events: sessions begun for people of all of it, one append each."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

from adapters.event_store import PostgresEventStore
from bench import append
from bench.fill import session_events
from commands.ports import AppendResult, Commit, NewEvent, StreamWrite
from commands.transact import event_id
from domain import codec, session
from domain.ids import CommandId, CorrelationId, SessionId, UserId

CALLERS = 64


async def append_rate(url: str, users: Sequence[UUID], seconds: float) -> float:
    """Appends a second, of the event store in this process."""
    store = PostgresEventStore(url)

    def caller(number: int) -> Callable[[], Awaitable[None]]:
        turn = number

        async def once() -> None:
            nonlocal turn
            answer = await store.append(_sign_in(UserId(users[turn % len(users)])))
            if answer.result is not AppendResult.DONE:
                raise AssertionError(f"nobody else writes to a session that was begun just now, yet {answer.result}")
            turn += CALLERS

        return once

    try:
        return (await append.run([caller(n) for n in range(CALLERS)], seconds)).per_second
    finally:
        await store.close()


def _sign_in(user_id: UserId) -> Commit:
    session_id, command_id = SessionId(uuid4()), CommandId(uuid4())
    (started,) = session_events(session_id, user_id, 1)
    event = NewEvent(event_id=event_id(command_id, 0), type=codec.tag_of(started), payload=codec.encode_event(started), key_id=None)
    write = StreamWrite(
        stream=session.stream(session_id),
        expected=0,
        events=(event,),
        state=codec.encode_state(session.decider.fold([started])),
        state_version=session.decider.state_version,
    )
    return Commit(
        command_id=command_id, actor="anonymous", session_id=None, correlation_id=CorrelationId(command_id), causation_id=None,
        writes=(write,),
    )  # fmt: skip
