"""What services were told is what the log says, as heads have it now: in Postgres, and in NATS."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import jwt
import msgspec
from nats.aio.client import Client

from adapters.signal_stream import DURABLE, stream_name
from bench.soak.stored import stored
from domain import audience, codec, role, user
from domain.decider import Decider
from domain.event import Event
from domain.ids import AudienceName, RoleName, UserId
from domain.signals.changes import AudienceRedefined, changes
from domain.signals.facts import class_of, subject_of
from domain.signals.telling import Known, tell
from domain.user_events import UserEvent

SENT = "SELECT bool_and(sent = count AND resend_to = 0) FROM signal_classes"
_SENT_S = 30.0

Facts = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By class and subject, without when they end."""


async def services_were_told_what_the_log_says(
    client: Client, connection: "asyncpg.Connection[asyncpg.Record]", events: Sequence[asyncpg.Record]
) -> None:
    async with asyncio.timeout(_SENT_S):
        while not await connection.fetchval(SENT):
            await asyncio.sleep(0.05)
    late = time.time() + _SENT_S
    wanted = _told_by([(event["position"], codec.decode_event(event["type"], event["payload"])) for event in events], late)
    classes = [row["class"] for row in await connection.fetch("SELECT class FROM signal_classes")]
    rows = await connection.fetch("SELECT class, subject, fact FROM live_signals")
    facts = [(row["class"], row["subject"], msgspec.json.decode(row["fact"])) for row in rows]
    kept = {name: {subject: _said(fact) for of, subject, fact in facts if of == name and not _is_over(fact, late)} for name in classes}
    assert kept == {name: wanted.get(name, {}) for name in classes}, "what PostgreSQL keeps for services is not what the log says"
    # A stream that was set back is found out at the signaller's first look at it, which may be yet to come.
    found: Facts = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(_SENT_S):
            while found != kept:
                found = {name: await _stored(client, name, late) for name in classes}
    assert found == kept, "what NATS keeps for services is not what PostgreSQL does"


def _told_by(events: Sequence[tuple[int, Event]], late: float) -> Facts:
    known, told = Known(**_heads([event for _, event in events])), frozenset[AudienceName]()
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for position, event in events:
        for change in changes(event):
            if isinstance(change, AudienceRedefined):
                told |= {change.audience}
            here = msgspec.structs.replace(known, told=told)
            for signal in tell(change, here, at=event.at, life=0, version=position):
                fact = msgspec.json.decode(msgspec.json.encode({"minos": signal.fact}))
                if not _is_over(fact, late):
                    found.setdefault(class_of(signal.fact), {})[DURABLE + subject_of(signal.fact)] = _said(fact)
    return found


def _heads(events: Sequence[Event]) -> dict[str, Any]:
    return {
        "users": _folded(events, user.decider, UserEvent, _user_of),
        "roles": _folded(events, role.decider, role.RoleEvent, _role_of),
        "audiences": _folded(events, audience.decider, audience.AudienceEvent, _audience_of),
    }


def _user_of(event: Any) -> UserId:
    return UserId(event.user_id)


def _role_of(event: Any) -> RoleName:
    return RoleName(event.role)


def _audience_of(event: Any) -> AudienceName:
    return AudienceName(event.audience)


def _folded(events: Sequence[Event], of: Decider[Any, Any], union: Any, key: Any) -> dict[Any, Any]:
    histories: dict[Any, list[Event]] = {}
    for event in events:
        if isinstance(event, union):
            histories.setdefault(key(event), []).append(event)
    return {name: of.fold(history) for name, history in histories.items()}


def _is_over(body: Mapping[str, Any], late: float) -> bool:
    """Whether it may be gone while we look. Only what is told of API keys is in a run of minutes; the rest lasts as long as tokens do."""
    fact = body["minos"]
    return bool(fact["kind"] == "api_key" and fact["until"] <= late)


def _said(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a version the position alone: the epoch of the log is another after a database came back with less."""
    fact = {name: value for name, value in body["minos"].items() if name != "until"}
    return {**fact, "version": fact["version"] & (1 << 40) - 1} if fact["kind"] == "role_map" else fact


async def _stored(client: Client, of_class: str, late: float) -> Mapping[str, Mapping[str, Any]]:
    kept = await stored(client, stream_name(of_class))
    facts = [(each.subject, jwt.decode(each.data.decode(), options={"verify_signature": False})) for each in kept]
    return {subject: _said(fact) for subject, fact in facts if not _is_over(fact, late)}
