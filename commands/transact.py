"""The one way a command changes anything: load heads, decide, append; lose the race, and load and decide again."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from commands.context import ActionUse, Context
from commands.ports import (
    Appended,
    AppendResult,
    ClaimChange,
    ClaimMac,
    Commit,
    EventStore,
    Heads,
    IdempotencyKey,
    NewEvent,
    Ports,
    StoredEvent,
    StoredHead,
    StreamWrite,
)
from domain import action, codec
from domain.decider import Decider
from domain.errors import Contended, IdempotencyKeyReused, Refused, StreamDetached
from domain.event import Event
from domain.ids import CommandId, EventId, StreamName

S = TypeVar("S")
E = TypeVar("E", bound=Event)
R = TypeVar("R")

Read = tuple[Decider[Any, Any], StreamName]
"""A stream to read, and how it folds."""

ATTEMPTS = 128
"""Lost races before giving up: far more than 64 parallel refreshes of one session need."""

_NO_COMMAND = CommandId(UUID(int=0))
EARLIER = datetime.min.replace(tzinfo=UTC)


class ClaimLost(Exception):
    """A name to be taken belongs to someone already. The command turns it into the refusal its caller knows."""


class Done(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """What the decision answered, and the version each touched stream now has."""

    result: R
    versions: dict[StreamName, int]
    at: datetime = EARLIER
    """The database's clock at the decision; `EARLIER` where an earlier answer was given again."""
    appended: bool
    """False when the decision changed nothing, or an earlier answer was given again."""


class Transaction:
    """What one attempt sees and does. Read states, record events; nothing happens before the decision has returned."""

    def __init__(self, heads: Heads, command_id: CommandId, folded: dict[StreamName, Any], conditions: int) -> None:
        self.at = heads.at
        self._heads = {head.stream: head for head in heads.heads[:conditions]}
        self._states = folded
        self._events: dict[StreamName, list[Event]] = {}
        self._deciders: dict[StreamName, Decider[Any, Any]] = {}
        self._claims: list[ClaimChange] = []
        self._command_id = command_id

    def state(self, of: Decider[S, Any], stream: StreamName) -> S:
        """Give the stream's state as this decision has it so far. Raises KeyError for a stream that was not asked for."""
        self._deciders.setdefault(stream, of)
        state: S = self._states[stream]
        return state

    def record(self, of: Decider[S, E], stream: StreamName, events: Sequence[E]) -> S:
        """Add what was decided for a stream; gives the state it folds to. Raises KeyError for one only glanced at."""
        _ = self._heads[stream]
        folded = of.fold(events, self.state(of, stream))
        self._states[stream] = folded
        self._events.setdefault(stream, []).extend(events)
        return folded

    def take(self, claim: ClaimMac, stream: StreamName, *, holder: UUID) -> None:
        self._claims.append(ClaimChange(claim=claim, stream=stream, take=True, holder=holder))

    def release(self, claim: ClaimMac, stream: StreamName) -> None:
        """Give a name up; under another index key than it was taken under, nothing happens."""
        self._claims.append(ClaimChange(claim=claim, stream=stream, take=False, holder=None))

    @property
    def changes_something(self) -> bool:
        return any(self._events.values())

    def versions(self) -> dict[StreamName, int]:
        return {stream: head.version + len(self._events.get(stream, ())) for stream, head in self._heads.items()}

    def commit(self, ctx: Context, outcome: bytes | None) -> Commit:
        repeat = ctx.repeat
        return Commit(
            command_id=self._command_id,
            actor=ctx.actor,
            session_id=ctx.session_id,
            correlation_id=ctx.correlation_id,
            causation_id=ctx.causation_id,
            writes=self._writes(),
            claims=tuple(self._claims),
            idempotency=None
            if repeat is None or outcome is None
            else IdempotencyKey(key=repeat.key, digest=repeat.digest, outcome=outcome),
        )

    def _writes(self) -> tuple[StreamWrite, ...]:
        """Every stream that was read is a condition; those with events are changes."""
        ordinal = 0
        writes: list[StreamWrite] = []
        for stream, head in self._heads.items():
            events: list[NewEvent] = []
            for event in self._events.get(stream, ()):
                events.append(_new_event(event, self._command_id, ordinal))
                ordinal += 1
            of = self._deciders.get(stream)
            writes.append(
                StreamWrite(
                    stream=stream,
                    expected=head.version,
                    events=tuple(events),
                    state=codec.encode_state(self._states[stream]) if events else b"",
                    state_version=of.state_version if of else head.state_version,
                )
            )
        return tuple(writes)


async def transact(
    ports: Ports,
    ctx: Context,
    reads: Sequence[Read],
    decide: Callable[[Transaction], R],
    *,
    glance: Sequence[Read] = (),
    seen: Heads | None = None,
    remember: type[R] | None = None,
) -> Done[R]:
    """Run a decision on the truth of the streams it reads, and append what it recorded, all or nothing.

    The append passes only if every stream in `reads` is still at the version that was loaded. Streams in `glance` are
    read in the same moment but may move meanwhile: enough where a token epoch disarms what was decided on the older
    state. `decide` must do nothing but decide: it may run again. With `seen`, heads of all these streams that the caller has read already,
    the first attempt decides on those, at their time. With `remember` (the result's type) and an idempotency key in the
    context, a repeat gets the first answer. Raises ClaimLost, IdempotencyKeyReused, Contended, and whatever the decision raises.
    """
    command_id = CommandId(ports.random.uuid7())
    reads, decide = _using_up(ctx, reads, decide)
    conditions = {stream: (of, stream) for of, stream in reads}
    wanted = list((conditions | {stream: (of, stream) for of, stream in glance if stream not in conditions}).values())
    for _ in range(ATTEMPTS):
        heads = seen or await ports.store.load([stream for _, stream in wanted])
        seen = None
        tx = Transaction(heads, command_id, await _fold_all(ports.store, heads, wanted), len(conditions))
        try:
            result = decide(tx)
        except Refused:
            # What refuses it may be the first answer's own effect, appended since the key was looked up.
            if remember is not None and (first := await _known_answer(ports, ctx, remember)) is not None:
                return first
            raise
        if not tx.changes_something:
            return Done(result=result, at=tx.at, versions=tx.versions(), appended=False)
        done = await _appended(ports, ctx, tx, result, remember)
        if done is not None:
            return done
    raise Contended


def _using_up(ctx: Context, reads: Sequence[Read], decide: Callable[[Transaction], R]) -> tuple[Sequence[Read], Callable[[Transaction], R]]:
    """Make the use of an action token part of the decision it was shown for: it is used up with what was done, or not at all.

    A command that appends more than once takes it out of the context after the first.
    """
    use = ctx.action
    if use is None:
        return reads, decide

    def decide_and_use_up(tx: Transaction) -> R:
        use_up(tx, use)
        return decide(tx)

    return [(action.decider, action.stream(use.action_id)), *reads], decide_and_use_up


async def spend_action(ctx: Context, ports: Ports) -> None:
    """Use up the action token that let a call through which appends nothing of its own. Raises ActionTokenUsed."""
    if ctx.action is not None:
        await transact(ports, ctx, [], lambda _: None)


def use_up(tx: Transaction, use: ActionUse) -> None:
    """Raises ActionTokenUsed."""
    stream = action.stream(use.action_id)
    used = action.consume(
        tx.state(action.decider, stream),
        action_id=use.action_id,
        user_id=use.user_id,
        session_id=use.session_id,
        audience=use.audience,
        action=use.action,
        at=tx.at,
    )
    tx.record(action.decider, stream, used)


async def _appended(ports: Ports, ctx: Context, tx: Transaction, result: R, remember: type[R] | None) -> Done[R] | None:
    """Append what was recorded; None when the race was lost. Raises ClaimLost, IdempotencyKeyReused."""
    outcome = msgspec.json.encode(result) if remember is not None else None
    appended = await ports.store.append(tx.commit(ctx, outcome))
    match appended.result:
        case AppendResult.DONE:
            return Done(result=result, at=tx.at, versions=tx.versions(), appended=True)
        case AppendResult.LOST_RACE:
            return None
        case AppendResult.CLAIM_TAKEN:
            raise ClaimLost
        case AppendResult.KEY_CONFLICT:
            raise IdempotencyKeyReused
        case AppendResult.REPLAYED:
            return _first_answer(appended, remember)


def _first_answer(appended: Appended, answer: type[R] | None) -> Done[R]:
    if answer is None or appended.outcome is None:
        raise RuntimeError("the store replayed a command that carried no idempotency key")
    return Done(result=msgspec.json.decode(appended.outcome, type=answer), versions={}, appended=False)


async def earlier_answer(ports: Ports, ctx: Context, answer: type[R]) -> Done[R] | None:
    """Give the first answer to a repeated request, before any work is done for it again.

    Raises IdempotencyKeyReused, and IdempotencyKeysExhausted for one more key than is kept of a principal. Callers without
    one share a name: under a cap a stranger could use it up and shut out all others.
    """
    return await _known_answer(ports, ctx, answer, capped=ctx.actor if ctx.principal or ctx.machine else None)


async def _known_answer(ports: Ports, ctx: Context, answer: type[R], *, capped: str | None = None) -> Done[R] | None:
    if ctx.repeat is None or (known := await ports.store.find_outcome(ctx.repeat.key, capped=capped)) is None:
        return None
    digest, outcome = known
    if digest != ctx.repeat.digest:
        raise IdempotencyKeyReused
    return Done(result=msgspec.json.decode(outcome, type=answer), versions={}, appended=False)


async def read_states(ports: Ports, reads: Sequence[Read]) -> Transaction:
    """Read the truth without changing it: strong checks use the same states decisions do."""
    heads = await ports.store.load([stream for _, stream in reads])
    return Transaction(heads, _NO_COMMAND, await _fold_all(ports.store, heads, reads), 0)


async def _fold_all(store: EventStore, heads: Heads, reads: Sequence[Read]) -> dict[StreamName, Any]:
    return {stream: await folded(store, head, of) for head, (of, stream) in zip(heads.heads, reads, strict=True)}


async def folded(store: EventStore, head: StoredHead, of: Decider[S, Any]) -> S:
    """Take the head's state, or refold it where another version of the code wrote it."""
    if head.version == 0:
        return of.initial
    if head.state is not None and head.state_version == of.state_version:
        return codec.decode_state(of, head.state)
    return of.fold(decoded(head, await store.read_stream(head.stream)))


def decoded(head: StoredHead, stored: Sequence[StoredEvent]) -> list[codec.AnyEvent]:
    """Give what a head folds from. Raises StreamDetached where a part of it lies elsewhere: what is left folds to something else."""
    stored = [event for event in stored if event.version <= head.version]
    if [event.version for event in stored] != list(range(1, head.version + 1)):
        raise StreamDetached(head.stream)
    return [codec.decode_event(event.type, event.payload) for event in stored if not event.pruned]


def _new_event(event: Event, command_id: CommandId, ordinal: int) -> NewEvent:
    return NewEvent(
        event_id=event_id(command_id, ordinal),
        type=codec.tag_of(event),
        payload=codec.encode_event(event),
        key_id=codec.key_of(event),
    )


def event_id(command_id: CommandId, ordinal: int) -> EventId:
    """Derive an event's id (UUIDv8, RFC 9562 5.8), so that a command sent twice names its events the same."""
    digest = bytearray(sha256(command_id.bytes + ordinal.to_bytes(4, "big")).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return EventId(UUID(bytes=bytes(digest)))
