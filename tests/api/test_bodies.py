import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.asgi import Message, Receive
from api.bodies import decode
from api.incoming import read_body
from api.refusals import MalformedBody, ValidationFailed
from commands.define_role import DefineRole
from commands.register_user import RegisterUser

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def faults(body: object, into: type = RegisterUser) -> set[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refused:
        decode(json.dumps(body).encode(), into)
    return {(fault.pointer, fault.code) for fault in refused.value.faults}


@given(st.binary())
def test_no_bytes_break_the_decoder(body: bytes) -> None:
    with pytest.raises((MalformedBody, ValidationFailed)):
        decode(body, RegisterUser)


@given(JSON)
def test_no_json_breaks_the_decoder(value: object) -> None:
    with pytest.raises((MalformedBody, ValidationFailed)):
        decode(json.dumps(value).encode(), RegisterUser)


def test_everything_wrong_is_told_at_once() -> None:
    assert faults({"email": 7, "role": "admin", "name": ""}) == {
        ("/email", "wrong_type"),
        ("/password", "missing"),
        ("/name", "too_short"),
        ("/role", "unknown_field"),
    }


def test_a_fault_deep_inside_is_pointed_at() -> None:
    assert faults({"name": "x", "permissions": ["a.b", "NO!"]}, DefineRole) == {("/permissions/1", "pattern")}


def test_text_that_looks_like_null_or_a_number_is_text() -> None:
    decoded = decode(b'{"email":"a@example.org","password":"12345678901234","name":"null"}', RegisterUser)
    assert isinstance(decoded, RegisterUser)
    assert decoded.name == "null"


def test_a_number_is_not_taken_for_text() -> None:
    assert ("/password", "wrong_type") in faults({"email": "a@example.org", "password": 12345678901234})


def test_no_fault_repeats_what_was_sent() -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode(b'{"email":"a@example.org","password":["hunter2hunter2"]}', RegisterUser)
    assert "hunter2" not in str(refused.value.faults)


def test_field_names_are_escaped_in_pointers() -> None:
    assert ("/a~1b~0c", "unknown_field") in faults({"email": "a@example.org", "password": "x" * 12, "a/b~c": 1})


async def test_a_body_that_is_all_there_is_not_asked_for_again() -> None:
    fields, receive = given_in_parts(b'{"a":', b"1}")
    assert await read_body({**fields, b"content-length": b"7"}, receive) == b'{"a":1}'
    with pytest.raises(AskedOnceTooOften):
        await receive()


async def test_a_length_beside_chunks_ends_nothing() -> None:
    """RFC 9112 6.3: chunks win over a length, which may be there to hide what follows."""
    fields, receive = given_in_parts(b'{"a":', b"1}", b"")
    chunked = {**fields, b"content-length": b"5", b"transfer-encoding": b"chunked"}
    assert await read_body(chunked, receive) == b'{"a":1}'


async def test_a_body_of_length_nothing_is_not_asked_for() -> None:
    fields, receive = given_in_parts()
    assert await read_body({**fields, b"content-length": b"0"}, receive) == b""


class AskedOnceTooOften(Exception):
    pass


def given_in_parts(*parts: bytes) -> tuple[dict[bytes, bytes], Receive]:
    """Give header fields and a body in parts, of which an empty one is the end."""
    left = iter(parts)

    async def receive() -> Message:
        part = next(left, None)
        if part is None:
            raise AskedOnceTooOften
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    return {b"content-type": b"application/json"}, receive
