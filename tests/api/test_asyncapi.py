"""The description of messages is true: what is really sent fits it, and nothing is said that is not sent."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jsonschema_rs
import msgspec
import pytest

from adapters.base64url import from_text
from adapters.event_envelope import LEAVING, envelope
from adapters.signal_sets import Beat, Feed, SignalSigner
from api.asyncapi import FACTS, HEARTBEAT, described, tag_of
from api.asyncapi import key_of as named
from commands.ports import StoredEvent
from domain.codec import encode_event, key_of
from domain.codec import tag_of as tag_of_event
from domain.event import Event
from domain.ids import CommandId, CorrelationId, EventId, StreamName
from domain.signals.facts import subject_of
from domain.signals.telling import Signal
from tests.api.conftest import Served
from tests.golden.examples import EXAMPLES
from tests.signals.golden import BODIES
from tests.signals.one_key import ISSUER, OneKey
from tests.signals.told import told

WHOLE = described()
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def fits(name: str, message: Any) -> bool:
    """Tell whether a message is what the description says of its kind."""
    schema = {"$ref": f"#/components/schemas/{named(name)}", "components": WHOLE["components"]}
    return jsonschema_rs.is_valid(schema, message)


def refs(part: Any) -> Iterator[str]:
    match part:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for each in part.values():
                yield from refs(each)
        case list():
            for each in part:
                yield from refs(each)
        case _:
            pass


def at(ref: str) -> Any:
    found: Any = WHOLE
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def claims(token: str) -> dict[str, Any]:
    return msgspec.json.decode(from_text(token.split(".")[1]) or b"", type=dict[str, Any])


def sent(event: Event) -> dict[str, Any]:
    stored = StoredEvent(
        position=7, append_id=9, stream=StreamName("user-1"), version=1, type=tag_of_event(event), event_id=EventId(uuid4()), actor="x",
        recorded_at=NOW, session_id=None, command_id=CommandId(uuid4()), correlation_id=CorrelationId(uuid4()), causation_id=None,
        key_id=key_of(event), payload=encode_event(event),
    )  # fmt: skip
    return msgspec.json.decode(envelope(stored, epoch=1), type=dict[str, Any])


async def test_it_is_served_where_the_description_of_the_api_is(served: Served) -> None:
    answer = await served.http.get("/asyncapi.json")
    assert (answer.status_code, answer.json()) == (200, WHOLE)
    assert 'href="/asyncapi.json"' in (await served.http.get("/docs")).text


def test_it_is_of_the_version_it_says() -> None:
    assert WHOLE["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= WHOLE["info"].keys()
    assert {operation["action"] for operation in WHOLE["operations"].values()} == {"send"}
    for server in WHOLE["servers"].values():
        assert {"host", "protocol"} <= server.keys()


def test_every_reference_leads_somewhere() -> None:
    found = set(refs(WHOLE))
    assert found
    assert all(at(ref) is not None for ref in found)


def test_each_part_has_a_name_of_its_own_that_every_reader_takes() -> None:
    names = {name for kind in ("schemas", "messages", "securitySchemes") for name in WHOLE["components"][kind]}
    assert [name for name in names | WHOLE["channels"].keys() if not re.fullmatch(r"[A-Za-z0-9_-]+", name)] == []
    messages = WHOLE["components"]["messages"]
    assert len({message["name"] for message in messages.values()}) == len(messages) == len(LEAVING) + len(FACTS) + 1


def test_each_parameter_of_an_address_is_described_and_no_other() -> None:
    for channel in WHOLE["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", {}))


def test_every_channel_is_sent_to_with_the_messages_it_has() -> None:
    for operation in WHOLE["operations"].values():
        channel = at(operation["channel"]["$ref"])
        assert [ref["$ref"].rsplit("/", 1)[-1] for ref in operation["messages"]] == list(channel["messages"])


@pytest.mark.parametrize("event", EXAMPLES, ids=tag_of_event)
def test_an_event_fits_what_is_said_of_it(event: Event) -> None:
    message = sent(event)
    assert fits(tag_of_event(event), message)
    assert not fits(tag_of_event(event), {**message, "data": {**message["data"], "email": "x"}})
    assert not fits("user.registered.v1" if message["type"] != "user.registered.v1" else "user.suspended.v1", message)


def test_of_each_event_exactly_what_leaves_is_described() -> None:
    for tag, fields in LEAVING.items():
        assert set(at(f"#/components/schemas/{named(tag)}")["properties"]["data"]["properties"]) == fields, tag


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("feed", [None, Feed(of_class="access", epoch=1, count=7)], ids=["hint", "durable"])
async def test_a_signal_fits_what_is_said_of_it(body: str, feed: Feed | None) -> None:
    said = claims(await SignalSigner(OneKey(), ISSUER).sign(body.encode(), feed))
    kind = f"set_{said['minos']['kind']}"
    assert fits(kind, said)
    assert not fits(kind, {**said, "sub": "x"})
    assert not fits(kind, {**said, "minos": {}})


async def test_a_heartbeat_fits_what_is_said_of_it() -> None:
    beat = Beat(of_class="access", epoch=1, count=7, sequence=0, beat=3, complete_to=1, state="running")
    said = claims(await SignalSigner(OneKey(), ISSUER).heartbeat(beat))
    assert fits(f"set_{HEARTBEAT}", said)
    assert not fits(f"set_{HEARTBEAT}", {**said, "minos": {}})


def test_every_kind_of_fact_has_a_message_on_nats_and_on_the_stream() -> None:
    on_stream = WHOLE["channels"]["signalStream"]["messages"].keys()
    assert on_stream == {*map(tag_of, FACTS), HEARTBEAT}
    addressed = [channel["messages"] for channel in WHOLE["channels"].values() if channel["address"].startswith("live.v1.")]
    assert {name for messages in addressed for name in messages} == on_stream


def signals() -> list[Signal]:
    return [signal for event in EXAMPLES for signal in told(event)]


def test_each_signal_goes_to_an_address_that_is_described() -> None:
    for signal in signals():
        address = f"live.v1.{subject_of(signal.fact)}"
        fitting = [
            channel
            for channel in WHOLE["channels"].values()
            if re.fullmatch(re.sub(r"{\w+}", r"[\\w-]+", channel["address"].replace(".", r"\.")), address)
        ]
        assert [list(channel["messages"]) for channel in fitting if tag_of(type(signal.fact)) in channel["messages"]], address


def test_no_fact_is_said_to_have_a_null_in_it() -> None:
    """What a fact has not is left out: a service account that is gone has no epoch, and none of another number either."""
    for fact in FACTS:
        assert "null" not in json.dumps(at(f"#/components/schemas/{fact.__name__}"))
