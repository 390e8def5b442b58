"""A stranger sends one body that keeps the event loop busy: everything else stands still meanwhile."""

from time import thread_time

import pytest

from api.incoming import BODY_LIMIT, read_body
from api.refusals import BodyTooDeep, MalformedBody
from tests.attacks.requests import given

MOST_SECONDS = 2
"""Before the attack was met it took half a minute; a whole body is looked through in some milliseconds."""


@pytest.mark.parametrize("unit", [b'\\"', b'"', b"\\", b'\\\\"', b'\\\n"', b'""\\', b"[]", b'{"', b"\n"])
async def test_brackets_and_quotes_are_counted_in_linear_time(unit: bytes) -> None:
    brackets = b"[" * 33
    body = brackets + b'"' + unit * ((BODY_LIMIT - len(brackets) - 1) // len(unit))
    began = thread_time()
    with pytest.raises((BodyTooDeep, MalformedBody)):
        await read_body(*given(body))
    assert thread_time() - began < MOST_SECONDS


@pytest.mark.parametrize("text", [b"[" * 60, b'\\"' + b"[" * 60, b"\\\\", b"{" * 33 + b'\\"'])
async def test_brackets_inside_strings_are_no_depth(text: bytes) -> None:
    body = b'{"a":"' + text + b'","b":[' + b"[]," * 40 + b"0]}"
    assert await read_body(*given(body)) == body


@pytest.mark.parametrize("text", [b"", b'\\"', b"\\\\", b"a", b'\\\\\\"', b"]]]"])
async def test_depth_is_not_hidden_behind_a_string(text: bytes) -> None:
    with pytest.raises(BodyTooDeep):
        await read_body(*given(b'["' + text + b'",' + b"[" * 32 + b"]" * 33))
