"""What leaves and what never does."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import pytest
from msgspec import Meta

from adapters.event_envelope import LEAVING, may_leave
from commands.ports import StoredEvent
from domain.api_key import KeyDigest
from domain.client_events import SecretDigest
from domain.codec import EVENT_TYPES, SEALED_FIELDS, encode_event, key_of, tag_of
from domain.errors import UnknownEventTag
from domain.event import Sealed
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, UserId
from tests.projections.histories import issued, registered, started, uuid7
from workers.outgoing import outgoing


def _stored(event: Any, stream: str) -> StoredEvent:
    return StoredEvent(
        position=7, append_id=9, stream=StreamName(stream), version=1, type=tag_of(event), event_id=EventId(uuid4()),
        recorded_at=datetime(2026, 11, 22, tzinfo=UTC), actor="anonymous", session_id=None, command_id=CommandId(uuid4()),
        correlation_id=CorrelationId(uuid4()), causation_id=None, key_id=key_of(event), payload=encode_event(event),
    )  # fmt: skip


@pytest.mark.parametrize("tag", EVENT_TYPES)
def test_no_sealed_field_and_no_seed_leaves(tag: str) -> None:
    assert not LEAVING[tag] & {*SEALED_FIELDS[tag], "seed"}


@pytest.mark.parametrize(
    ("hint", "leaves"),
    [(str, False), (bytes, False), (Sealed, False), (Sealed | None, False), (tuple[str, ...], False), (UserId, True), (int, True),
     (datetime | None, True), (Annotated[str, Meta(pattern="^a$")], True), (Annotated[str, Meta(max_length=9)], False),
     (SecretDigest, False), (KeyDigest | None, False)],
)  # fmt: skip
def test_only_types_that_cannot_hold_free_text_leave(hint: Any, leaves: bool) -> None:
    assert may_leave(hint) is leaves


def test_a_session_start_leaves_without_its_seed_and_surroundings() -> None:
    session_id = SessionId(uuid7())
    message = outgoing(_stored(started(session_id, UserId(uuid7())), f"session-{session_id}"), epoch=1)
    body = msgspec.json.decode(message.body, type=dict[str, Any])
    assert message.subject == "minos.events.v1.session.started"
    assert not body["data"].keys() & {"seed", "network", "user_agent", "device_name", "type"}
    assert body["data"]["session_id"] == str(session_id)
    assert (body["position"], body["epoch"], body["version"]) == (7, 1, 1)


def test_the_same_event_makes_the_same_bytes() -> None:
    user_id = UserId(uuid7())
    stored = _stored(registered(user_id), f"user-{user_id}")
    assert outgoing(stored, epoch=1) == outgoing(stored, epoch=1)


def test_an_unknown_event_is_not_guessed_at() -> None:
    user_id = UserId(uuid7())
    stored = msgspec.structs.replace(_stored(registered(user_id), f"user-{user_id}"), type="user.teleported.v1")
    with pytest.raises(UnknownEventTag):
        outgoing(stored, epoch=1)


def test_a_pruned_event_leaves_with_its_number_and_without_what_it_said() -> None:
    session_id = SessionId(uuid7())
    stored = _stored(issued(session_id, UserId(uuid7()), 1), f"session-{session_id}")
    whole, pruned = (msgspec.json.decode(outgoing(event, epoch=1).body, type=dict[str, Any]) for event in (stored, _without(stored)))
    assert whole["data"]
    assert pruned == whole | {"data": {}, "pruned": True}


def _without(stored: StoredEvent) -> StoredEvent:
    return msgspec.structs.replace(stored, payload=b"")
