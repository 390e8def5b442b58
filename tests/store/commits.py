"""Commits to test with."""

from uuid import UUID, uuid4

from commands.ports import ClaimChange, ClaimMac, Commit, IdempotencyKey, NewEvent, StreamWrite
from domain.ids import CommandId, CorrelationId, EventId, StreamName

PAYLOAD = b'{"at":"2026-01-01T00:00:00Z","type":"test.happened.v1"}'


def stream(category: str = "test") -> StreamName:
    return StreamName(f"{category}-{uuid4()}")


def event(payload: bytes = PAYLOAD) -> NewEvent:
    return NewEvent(event_id=EventId(uuid4()), type="test.happened.v1", payload=payload, key_id=None)


def write(name: StreamName, expected: int, events: int = 1) -> StreamWrite:
    return StreamWrite(
        stream=name,
        expected=expected,
        events=tuple(event() for _ in range(events)),
        state=f"{name} at {expected + events}".encode(),
        state_version=3,
    )


def commit(
    *writes: StreamWrite, claims: tuple[ClaimChange, ...] = (), idempotency: IdempotencyKey | None = None, actor: str = "system"
) -> Commit:
    return Commit(
        command_id=CommandId(uuid4()),
        actor=actor,
        session_id=None,
        correlation_id=CorrelationId(uuid4()),
        causation_id=None,
        writes=writes,
        claims=claims,
        idempotency=idempotency,
    )


def mac() -> ClaimMac:
    return ClaimMac(1, uuid4().bytes + uuid4().bytes)


def holder_of(owner: StreamName) -> UUID:
    """Whom a claim's stream is for, in these tests."""
    return UUID(owner.partition("-")[2])


def take(claim: ClaimMac, owner: StreamName) -> ClaimChange:
    return ClaimChange(claim=claim, stream=owner, take=True, holder=holder_of(owner))


def release(claim: ClaimMac, owner: StreamName) -> ClaimChange:
    return ClaimChange(claim=claim, stream=owner, take=False, holder=None)


def idempotency(key: bytes | None = None, digest: bytes = b"digest", outcome: bytes = b"outcome") -> IdempotencyKey:
    return IdempotencyKey(key=uuid4().bytes * 2 if key is None else key, digest=digest, outcome=outcome)
