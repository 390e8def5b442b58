import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.refusals import MalformedBody, NameRepeated
from api.repeated_names import refuse_repeated_names

Members = list[tuple[str, Any]]


class Object:
    """Members in order, where a name may come again."""

    def __init__(self, members: Members) -> None:
        self.members = members


NAMES = st.sampled_from(["a", "b", ":", '"', "é", ""]) | st.text(max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(NAMES, inner), max_size=4).map(Object),
    max_leaves=8,
)
TOKENS = st.sampled_from(["{", "}", "[", "]", ",", ":", '"a"', '"\\u0061"', '"b"', '":"', "0", " "])


def repeats(value: object) -> bool:
    match value:
        case Object(members=members):
            names = [name for name, _ in members]
            return len(set(names)) < len(names) or any(repeats(inner) for _, inner in members)
        case list():
            return any(repeats(inner) for inner in value)
        case _:
            return False


def written(value: object, *, ascii_only: bool) -> str:
    match value:
        case Object(members=members):
            inside = (f"{json.dumps(name, ensure_ascii=ascii_only)} : {written(inner, ascii_only=ascii_only)}" for name, inner in members)
            return "{" + ", ".join(inside) + "}"
        case list():
            return "[" + ",".join(written(inner, ascii_only=ascii_only) for inner in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)


def is_refused(body: bytes) -> bool:
    try:
        refuse_repeated_names(body)
    except NameRepeated:
        return True
    except MalformedBody:
        return False
    return False


@given(VALUES, st.booleans())
def test_exactly_what_repeats_a_name_is_refused(value: object, ascii_only: bool) -> None:
    assert is_refused(written(value, ascii_only=ascii_only).encode()) == repeats(value)


@given(st.lists(TOKENS, max_size=24).map("".join) | VALUES.map(lambda value: written(value, ascii_only=True)))
def test_looking_at_colons_first_changes_nothing(text: str) -> None:
    found: list[bool] = []

    def members(pairs: Members) -> None:
        found.append(len({name for name, _ in pairs}) < len(pairs))

    with suppress(ValueError):
        json.loads(text, object_pairs_hook=members)
    assert is_refused(text.encode()) == any(found)


@given(st.text(alphabet='{}[],:"\\ \t\n\r0123456789eE.+-ntrufalsNIy\x00\x7f\x1f\ufeffé', max_size=24).map(str.encode))
def test_all_that_the_decoder_takes_is_let_through_to_it(body: bytes) -> None:
    with suppress(msgspec.DecodeError):
        msgspec.json.decode(body)
        with suppress(NameRepeated):
            refuse_repeated_names(b'{"a":' + body + b',"b":0}')


@pytest.mark.parametrize("number", [b"9" * 5_000, b"-0.0", b"1e999", b"1" + b"0" * 400 + b".5E-7"])
def test_no_number_is_too_long_to_be_looked_past(number: bytes) -> None:
    refuse_repeated_names(b'{"a":' + number + b',"b":0}')


@pytest.mark.parametrize("body", [b'{"a":1,"b":', b'{"a":1,"b":1}}', b'\xef\xbb\xbf{"a":1,"b":1}', b'{"a":1,"b":"\xff"}', b"::"])
def test_what_is_not_json_is_no_body(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        refuse_repeated_names(body)
