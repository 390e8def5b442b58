"""Log lines over OTLP: the same that are written, after the list of fields has been held against them."""

import os
import re
from collections.abc import MutableMapping
from time import time_ns
from typing import Any

from adapters.telemetry import outgoing
from adapters.telemetry.chosen import Signal, library, resource, wanted

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_THEIRS = ("opentelemetry", "urllib3", "requests")
"""What the sender itself logs, as that the collector is away, is written and not sent: it would have no end."""
_ELSEWHERE = frozenset({"event", "level", "timestamp", "trace_id", "span_id"})
"""Fields that a log record has a place of its own for."""


class Lines:
    """A structlog processor that passes each line on unchanged. The library sends from a thread of its own, in each process."""

    def __init__(self) -> None:
        self._severity = library("opentelemetry._logs").SeverityNumber
        self._trace = library("opentelemetry.trace")
        self._pid = 0
        self._provider: Any = None
        self._logger: Any = None

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
        if not str(event.get("logger", "")).startswith(_THEIRS):
            self._emit(event)
        return event

    def close(self) -> None:
        """Send what is left, within the library's own deadline."""
        if self._pid == os.getpid():
            self._pid = 0
            self._provider.shutdown()

    def _emit(self, event: MutableMapping[str, object]) -> None:
        if self._pid != os.getpid():  # the first line, or the first after a fork
            self._open()
        level = str(event.get("level", "info"))
        self._logger.emit(
            timestamp=time_ns(),
            context=self._context(event.get("trace_id")),
            severity_number=getattr(self._severity, _SEVERITIES.get(level, "INFO")),
            severity_text=level,
            body=event.get("event"),
            attributes={name: value for name, value in event.items() if name not in _ELSEWHERE and value is not None},
        )

    def _context(self, trace_id: object) -> Any:
        """Within a span it is that span's; a request that is not traced here still names the trace it came with."""
        if self._trace.get_current_span().get_span_context().is_valid or not _TRACE_ID.fullmatch(str(trace_id)):
            return None
        named = self._trace.SpanContext(trace_id=int(str(trace_id), 16), span_id=0, is_remote=True)
        return self._trace.set_span_in_context(self._trace.NonRecordingSpan(named))

    def _open(self) -> None:
        sdk, export = library("opentelemetry.sdk._logs"), library("opentelemetry.sdk._logs.export")
        otlp = library("opentelemetry.exporter.otlp.proto.http._log_exporter")
        self._provider = sdk.LoggerProvider(resource=resource())
        self._provider.add_log_record_processor(export.BatchLogRecordProcessor(otlp.OTLPLogExporter(session=outgoing.session())))
        self._logger = self._provider.get_logger("minos")
        self._pid = os.getpid()


_SEVERITIES = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}


def lines() -> Lines | None:
    """Give what sends lines, or None where logs are not wanted. Raises NoTelemetry."""
    if not wanted(Signal.LOGS):
        return None
    library("opentelemetry.exporter.otlp.proto.http._log_exporter")
    return Lines()
