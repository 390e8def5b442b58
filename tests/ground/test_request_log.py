"""The line of a request: written the short way, and no other than the long way would write."""

import io
import json
import logging as standard
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog
from msgspec import structs

from adapters import logging
from adapters.request_log import RequestLine, RequestLog

LINE = RequestLine(
    method="POST", route="/api/v1/auth/login", status=401, duration_ms=1.25, request_id="mine-1", trace_id=None, code="invalid_credentials"
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    yield io.StringIO()
    structlog.reset_defaults()
    standard.basicConfig(force=True, level=standard.WARNING)


def test_it_has_what_the_chain_of_processors_would_write(stream: io.StringIO) -> None:
    logging.configure(level="info", style="json", stream=stream)
    RequestLog().write(LINE)
    told = {name: getattr(LINE, name) for name in ("method", "route", "status", "duration_ms", "request_id", "trace_id", "code")}
    structlog.get_logger().info("request", **told)
    short, long = (json.loads(line) for line in stream.getvalue().splitlines())
    assert list(short) == list(long)
    assert {**short, "timestamp": ""} == {**long, "timestamp": ""}
    assert {len(short["timestamp"]), len(long["timestamp"])} <= {len("2026-11-25T20:00:00Z"), len("2026-11-25T20:00:00.000000Z")}


def test_it_names_the_service_that_called_and_what_it_showed(stream: io.StringIO) -> None:
    logging.configure(level="info", style="json", stream=stream)
    RequestLog().write(structs.replace(LINE, client_id="client_reporter", token_id=UUID(int=7)))
    told = json.loads(stream.getvalue())
    assert (told["client_id"], told["token_id"], "key_id" in told) == ("client_reporter", str(UUID(int=7)), False)


def test_every_field_is_on_the_list_of_what_may_be_logged() -> None:
    assert set(RequestLine.__struct_fields__) <= logging.FIELDS


def test_people_read_it_as_every_other_line(stream: io.StringIO) -> None:
    logging.configure(level="info", style="console", stream=stream)
    RequestLog().write(LINE)
    assert "request" in stream.getvalue()
    assert "route=/api/v1/auth/login" in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
def test_it_is_not_written_where_only_warnings_are(style: str, stream: io.StringIO) -> None:
    logging.configure(level="warning", style=style, stream=stream)
    log = RequestLog()
    assert not log.wanted
    log.write(LINE)
    assert not stream.getvalue()
