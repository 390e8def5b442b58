"""The one line that is written for each request.

As JSON it does not go through the chain that every other line goes through: its fields are typed here, all of them on the list
of `adapters.logging`. The chain took an eighth of the processor time of a token check.
"""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from adapters.logging import info_as_json, is_written

_GIVEN = ("method", "route", "status", "duration_ms", "request_id", "trace_id", "code", "client_id", "token_id", "key_id")


class RequestLine(Struct, frozen=True, kw_only=True):
    """`route` is the template, never the address itself; `request_id` and `trace_id` were checked when they came."""

    method: str
    route: str
    status: int
    duration_ms: float
    request_id: str
    trace_id: str | None
    code: str | None
    client_id: str | UnsetType | None = UNSET
    """Of the service account that called, or whose API key was shown; null for a person's key. Not there where a person calls."""
    token_id: UUID | UnsetType | None = UNSET
    key_id: UUID | UnsetType | None = UNSET
    """One of the two: of a service account's token, or of an API key, which is no secret."""
    event: Literal["request"] = "request"
    level: Literal["info"] = "info"
    timestamp: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class RequestLog:
    """Make it after logging was set up."""

    def __init__(self) -> None:
        self._outlet = info_as_json()
        self._log = structlog.get_logger()
        self.wanted = is_written("info")
        """Whether such lines are written at all: ask before one is made."""

    def write(self, line: RequestLine) -> None:
        if self._outlet is None:
            given = {name: value for name in _GIVEN if (value := getattr(line, name)) is not UNSET}
            self._log.info("request", **given)
        else:
            self._outlet.write(msgspec.json.encode(line).decode() + "\n")
            self._outlet.flush()
