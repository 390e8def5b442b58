"""Histories to project: real events in real streams, appended the way commands append."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from adapters.event_store import PostgresEventStore
from commands.ports import AppendResult, Commit, NewEvent, StreamWrite
from domain import session, user
from domain.codec import encode_event, key_of, tag_of
from domain.event import Event, Sealed
from domain.ids import (
    AudienceName,
    ClaimId,
    ClientId,
    CommandId,
    CorrelationId,
    EventId,
    RoleName,
    SessionId,
    StreamName,
    SubjectKeyId,
    UserId,
)
from domain.session_events import AuthMethod, SessionStarted, TokenIssued
from domain.user_events import PasswordReason, PasswordSet, RegisteredBy, UserRegistered

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = SubjectKeyId(UUID(int=7))


def sealed(text: str = "closed") -> Sealed:
    return Sealed(KEY, text.encode())


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Scribe:
    """Appends events and knows which version each stream is at."""

    store: PostgresEventStore
    versions: dict[StreamName, int] = field(default_factory=dict)

    async def write(self, stream: StreamName, *events: Event, actor: str = "anonymous", raw: Sequence[NewEvent] = ()) -> None:
        """Append to one stream; `raw` goes in after the events as it is."""
        expected = self.versions.get(stream, 0)
        news = (*(new_event(event) for event in events), *raw)
        write = StreamWrite(stream=stream, expected=expected, events=news, state=b"\x80", state_version=1)
        answer = await self.store.append(
            Commit(
                command_id=CommandId(uuid4()),
                actor=actor,
                session_id=None,
                correlation_id=CorrelationId(uuid4()),
                causation_id=None,
                writes=(write,),
            )
        )
        assert answer.result is AppendResult.DONE
        self.versions[stream] = expected + len(news)

    async def user(self, *, roles: Sequence[str] = ("user",)) -> UserId:
        user_id = UserId(uuid7())
        await self.write(user.stream(user_id), registered(user_id, roles), password_set(user_id))
        return user_id

    async def session(self, user_id: UserId, *, epoch: int = 1, ttl: int = 3_600) -> SessionId:
        session_id = SessionId(uuid7())
        events = (started(session_id, user_id, epoch=epoch, ttl=ttl), issued(session_id, user_id, 1, ttl=ttl))
        await self.write(session.stream(session_id), *events)
        return session_id


_clock = count(1)


def uuid7() -> UUID:
    """Rises with every call, as ids made one after the other do."""
    return UUID(int=(0x0197_0000_0000 + next(_clock)) << 80 | 0x7 << 76 | 0x8 << 60 | uuid4().int & 0xFFFF_FFFF)


def new_event(event: Event) -> NewEvent:
    return NewEvent(event_id=EventId(uuid4()), type=tag_of(event), payload=encode_event(event), key_id=key_of(event))


def broken_event(tag: str = "user.reinstated.v1", payload: bytes = b'{"broken":true}') -> NewEvent:
    """What no code can read; with an unknown tag: what only newer code can."""
    return NewEvent(event_id=EventId(uuid4()), type=tag, payload=payload, key_id=None)


def registered(user_id: UserId, roles: Sequence[str] = ("user",)) -> UserRegistered:
    return UserRegistered(
        user_id=user_id,
        email=sealed(f"{user_id}@example.org"),
        email_claim=ClaimId(uuid4()),
        username=None,
        username_claim=None,
        name=sealed("name"),
        roles=tuple(RoleName(role) for role in roles),
        registered_by=RegisteredBy.SELF,
        at=now(),
    )


def password_set(user_id: UserId, *, version: int = 1, epoch: int = 1) -> PasswordSet:
    reason = PasswordReason.CHOSEN if version == 1 else PasswordReason.CHANGED
    return PasswordSet(user_id=user_id, password=sealed("hash"), password_version=version, token_epoch=epoch, reason=reason, at=now())


def started(session_id: SessionId, user_id: UserId, *, epoch: int = 1, ttl: int = 3_600) -> SessionStarted:
    return SessionStarted(
        session_id=session_id,
        user_id=user_id,
        token_epoch=epoch,
        audiences=(AudienceName("minos"),),
        client_id=ClientId("minos"),
        amr=(AuthMethod.PASSWORD,),
        seed=b"s" * 32,
        idle_ttl=ttl,
        expires_at=now() + timedelta(seconds=ttl),
        network=sealed("192.0.2.0/24"),
        user_agent=sealed("agent"),
        device_name=None,
        at=now(),
    )


def issued(session_id: SessionId, user_id: UserId, generation: int, *, ttl: int = 3_600) -> TokenIssued:
    return TokenIssued(
        session_id=session_id,
        user_id=user_id,
        generation=generation,
        key_version=1,
        audience=AudienceName("minos"),
        access_expires_at=now() + timedelta(seconds=300),
        idle_expires_at=now() + timedelta(seconds=ttl),
        at=now(),
    )
