"""The one line that is written for each request.

As JSON it does not go through the chain that every other line goes through: its fields are typed here, all of them on the list
of `adapters.logging`. The chain took an eighth of the processor time of a token check.
"""

import logging
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from adapters.logging import info_as_json

_GIVEN = ("method", "route", "status", "duration_ms", "request_id", "trace_id", "code")


class RequestLine(Struct, frozen=True, kw_only=True):
    """`route` is the template, never the address itself; `request_id` and `trace_id` were checked when they came."""

    method: str
    route: str
    status: int
    duration_ms: float
    request_id: str
    trace_id: str | None
    code: str | None
    event: Literal["request"] = "request"
    level: Literal["info"] = "info"
    timestamp: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class RequestLog:
    """Make it after logging was set up."""

    def __init__(self) -> None:
        self._outlet = info_as_json()
        self._log = structlog.get_logger()
        self.wanted: bool = self._log.is_enabled_for(logging.INFO)
        """Whether such lines are written at all: ask before one is made."""

    def write(self, line: RequestLine) -> None:
        if self._outlet is None:
            self._log.info("request", **{name: getattr(line, name) for name in _GIVEN})
        else:
            self._outlet.write(msgspec.json.encode(line).decode() + "\n")
            self._outlet.flush()
