"""What a collector is told over OTLP. A real one stands in front where there is one: what it hands on is what it understood."""

import asyncio
import gzip
import secrets
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.running import Running
from tests import rotel

Value = str | int | tuple[str, ...]
SERVER, CLIENT, CONSUMER = 2, 3, 5
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    began: int
    ended: int
    attributes: dict[str, Value]
    failed: bool
    resource: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Line:
    trace_id: str
    span_id: str
    severity: str
    event: str
    attributes: dict[str, Value]
    resource: dict[str, Value]


@dataclass(slots=True)
class Collector:
    """`received` is every byte that came, the rest what they mean. `series` has the last of each name: its kind, and points by labels."""

    url: str
    through: str
    spans: list[Span] = field(default_factory=list[Span])
    lines: list[Line] = field(default_factory=list[Line])
    series: dict[str, tuple[str, dict[frozenset[tuple[str, str]], Any]]] = field(
        default_factory=dict[str, tuple[str, dict[frozenset[tuple[str, str]], Any]]]
    )
    received: bytes = b""

    def take(self, path: str, body: bytes) -> None:
        self.received += body
        match path:
            case "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    whose = _named(resource.resource.attributes)
                    self.spans.extend(_span(span, whose) for scope in resource.scope_spans for span in scope.spans)
            case "/v1/logs":
                for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                    whose = _named(logs.resource.attributes)
                    self.lines.extend(_line(record, whose) for scope in logs.scope_logs for record in scope.log_records)
            case "/v1/metrics":
                for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for scope in metrics.scope_metrics:
                        self.series.update(_series(metric) for metric in scope.metrics)
            case _:
                raise AssertionError(path)

    def told_to(self, running: Running) -> None:
        """Have an authority that is not started yet send here what it has to tell, without much delay."""
        delays = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BLRP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "2000"}
        running.environment = {**running.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": self.url, **delays}

    async def arrived(self, request: httpx.Request) -> Span:
        """Give the span of a request. Whatever is below it ended before and is there too. Raises TimeoutError."""
        _, trace_id, parent_id, _ = request.headers["traceparent"].split("-")
        span = await seen(lambda: next((span for span in self.spans if span.trace_id == trace_id and span.kind == SERVER), None))
        assert span.parent_id == parent_id
        return span

    def children(self, parent: Span) -> list[Span]:
        """In the order they began."""
        return sorted((span for span in self.spans if span.parent_id == parent.span_id), key=lambda span: span.began)


def traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


async def seen(look: Callable[[], Found | None]) -> Found:
    """Look until there is something. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while (found := look()) is None:
            await asyncio.sleep(0.02)
    return found


@contextmanager
def collecting() -> Generator[Collector]:
    with ExitStack() as stack:
        collector = Collector("", "")
        collector.url = stack.enter_context(_receiving(collector))
        program = rotel.found()
        if isinstance(program, Path):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="minos-rotel-")))
            collector.url = stack.enter_context(rotel.running(program, folder, exporting_to=collector.url))
            collector.through = "rotel"
        yield collector


@contextmanager
def _receiving(collector: Collector) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name for it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _span(span: Any, resource: dict[str, Value]) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes=_named(span.attributes),
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        resource=resource,
    )


def _line(record: Any, resource: dict[str, Value]) -> Line:
    return Line(
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        severity=record.severity_text,
        event=record.body.string_value,
        attributes=_named(record.attributes),
        resource=resource,
    )


def _series(metric: Any) -> tuple[str, tuple[str, dict[frozenset[tuple[str, str]], Any]]]:
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points
    return metric.name, (kind, {frozenset((each.key, each.value.string_value) for each in point.attributes): point for point in points})


def _named(attributes: Any) -> dict[str, Value]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(each.string_value for each in value.array_value.values)
    given: Value = getattr(value, kind)
    return given
