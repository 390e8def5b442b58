"""Compressed header fields (RFC 7541) are a byte each on the wire: half a million of them stopped the event loop for seconds."""

from time import process_time

import pytest

from api.incoming import FIELDS_LIMIT, header_fields
from api.refusals import HeadersTooLarge
from bench.running import Running
from tests.attacks.requests import exchange


def scope_of(fields: list[tuple[bytes, bytes]]) -> dict[str, object]:
    return {"headers": fields, "raw_path": b"/", "query_string": b""}


def test_too_many_fields_are_refused_before_they_are_looked_at() -> None:
    fields = [(b"x%d" % (number % 2_000), b"") for number in range(400_000)]
    began = process_time()
    with pytest.raises(HeadersTooLarge):
        header_fields(scope_of(fields))
    assert process_time() - began < 2, "it took a minute"


def test_as_many_as_a_browser_sends_are_fine() -> None:
    assert len(header_fields(scope_of([(b"x%d" % number, b"1") for number in range(FIELDS_LIMIT)]))) == FIELDS_LIMIT


async def test_nobody_speaks_http_2_to_us(running: Running) -> None:
    answer = await exchange(running, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")) or not answer
