"""What may be logged, and how: only fields on a list, as JSON or for people, with the ids of the request they belong to.

Call it with a fixed snake_case event and fields of the list: `log.info("part_started", part="api")`. A field not on
the list is dropped, and the line says how many were; `dropped_fields` counts them for the metrics.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import TextIO, TypeAlias, cast

import msgspec
import structlog
from structlog.typing import Processor

from adapters.log_outlet import Outlet
from adapters.telemetry.lines import Lines, lines

FIELDS = frozenset({
    # who, where, when
    "event", "level", "timestamp", "logger", "pid", "part", "worker", "trace_id", "span_id", "request_id", "correlation_id",
    # requests: the route's template, never the path itself
    "method", "route", "status", "code", "duration_ms", "network",
    # subjects: ids only
    "user_id", "session_id", "role", "audience", "audiences", "kid", "kek_id", "client_id", "token_id", "key_id",
    # log, workers
    "stream", "type", "position", "append_id", "version", "slot", "slots", "projection", "epoch", "count", "events", "added",
    "partition", "lag_events", "lag_s", "seconds", "state", "reason", "attempt", "delay_s", "limit", "queue", "size",
    "origin", "witness", "subject", "sequence", "expected", "found", "duty", "due_id", "of_class",
    # machine
    "folder", "host", "port", "system_user", "exit_code", "signal", "environment", "setting",
    # failures: the kind and place always, the message where it is known to hold nothing secret
    "error", "error_type", "error_at", "message", "dropped",
})  # fmt: skip

_LONGEST = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OURS = ("domain.", "commands.", "projections.", "adapters.", "api.", "workers.", "cli.", "migrations.")

EventDict: TypeAlias = MutableMapping[str, object]

dropped_fields = 0
"""How many fields this process has dropped since it started."""
_LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
_chain: list[Processor] = []
"""What each line goes through. Loggers that were used already have this very list: it is filled anew where logging is set up again."""
_least = logging.NOTSET
_info_as_json: Outlet | None = None
_sent: Lines | None = None


def configure(*, level: str, style: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process, or anew for loggers in use too. `style`: json, console, or auto (console on a terminal). Goes to
    stderr by default.

    Lines of libraries (warnings and worse) pass the same list: their text as `message`, nothing else. What is written is sent over
    OTLP too, where OTEL_* variables ask for that. Raises NoTelemetry.
    """
    global _info_as_json, _least, _sent  # noqa: PLW0603 - one way of logging per process is the point
    out: TextIO = stream if stream is not None else sys.stderr
    outlet = Outlet(out)
    people = style == "console" or (style == "auto" and out.isatty())
    # For people in the order the call has them, which begins with what matters.
    renderers = [_without_nothing, structlog.dev.ConsoleRenderer(colors=out.isatty(), sort_keys=False)] if people else [_to_json]
    _sent, _least = lines(), _LEVELS[level]
    _chain[:] = [
        _grave_enough,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exceptions,
        allow_listed,
        *([] if _sent is None else [_sent]),
        *renderers,
    ]
    structlog.configure(
        processors=_chain,
        wrapper_class=structlog.make_filtering_bound_logger("debug"),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", outlet)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    plain = not people and _sent is None and is_written("info")
    _info_as_json = outlet if plain else None


def info_as_json() -> Outlet | None:
    """Give where lines of level info go as JSON and nowhere else; None where they are for people, sent over OTLP, or not written."""
    return _info_as_json


def close() -> None:
    """Send over OTLP what is left of this process's lines. Not for a thread with an event loop."""
    if _sent is not None:
        _sent.close()


def is_written(level: str) -> bool:
    """Tell whether lines of this level are written at all."""
    return _LEVELS[level] >= _least


def _grave_enough(_logger: object, method: str, event: EventDict) -> EventDict:
    if not is_written(method):
        raise structlog.DropEvent
    return event


def allow_listed(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Keep the fields of the list, each as one short line of text or a number."""
    global dropped_fields  # noqa: PLW0603 - one count per process is the point
    kept: EventDict = {name: _flat(value) for name, value in event.items() if name in FIELDS}
    dropped = len(event) - len(kept)
    if dropped:
        dropped_fields += dropped
        kept["dropped"] = dropped
    return kept


def _flat(value: object) -> object:
    """One line at most: a value with line breaks could pretend to be another log line."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _CONTROL.sub(" ", str(value))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _exceptions(_logger: object, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["error_type"] = type(error).__qualname__
        event["error_at"] = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in reversed(_frames(error)))
        if _message_is_safe(error):
            event["error"] = str(error).partition("\n")[0]
    return event


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return traceback.extract_tb(error.__traceback__, limit=-6)


def _message_is_safe(error: BaseException) -> bool:
    """Ours, the system's and the database's first line hold no values of users; anybody else's might."""
    module = type(error).__module__ + "."
    return isinstance(error, OSError) or module.startswith((*_OURS, "asyncpg.", "nats."))


def _without_nothing(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if value is not None}


def _to_json(_logger: object, _method: str, event: EventDict) -> str:
    return msgspec.json.encode(event).decode()


class _Forward(logging.Handler):
    """Sends what libraries log the same way as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        write = line.error if record.levelno >= logging.ERROR else line.warning
        # The first line only: what follows may show values.
        write("library_message", logger=record.name, message=record.getMessage().partition("\n")[0], exc_info=error)
