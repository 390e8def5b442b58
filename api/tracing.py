"""One span per request over OpenTelemetry, where the `otel` extra is installed and an endpoint is set (OTEL_* variables).

Otherwise nothing of it is imported. Its packages are looked up by name, so that the type checkers need not have them.
"""

import os
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class NoTracing(Exception):
    """An endpoint is set but the `otel` extra is not installed."""


class Spans:
    """Makes the span of a request that is over; sending is the business of a thread of the library's."""

    def __init__(self, provider: Any, propagator: Any, server_kind: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("minos.api")
        self._propagator = propagator
        self._server_kind = server_kind

    def record(self, *, method: str, route: str, status: int, elapsed: float, traceparent: bytes | None) -> None:
        """`elapsed` in seconds, up to now. The route's template only: never an address or a query."""
        ended = time.time_ns()
        carrier = {} if traceparent is None else {"traceparent": traceparent.decode("ascii")}
        span = self._tracer.start_span(
            f"{method} {route}",
            context=self._propagator.extract(carrier),
            kind=self._server_kind,
            start_time=ended - int(elapsed * 1e9),
            attributes={"http.request.method": method, "http.route": route, "http.response.status_code": status},
        )
        span.end(end_time=ended)

    def close(self) -> None:
        """Send what is left, within the library's own deadline."""
        self._provider.shutdown()


def spans(environ: Mapping[str, str] = os.environ) -> Spans | None:
    """Give what records spans, or None where no endpoint is set. Raises NoTracing."""
    if not any(environ.get(name) for name in _ENDPOINTS):
        return None
    try:
        api, sdk = import_module("opentelemetry.trace"), import_module("opentelemetry.sdk.trace")
        export = import_module("opentelemetry.sdk.trace.export")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        w3c = import_module("opentelemetry.trace.propagation.tracecontext")
    except ImportError as error:
        raise NoTracing("OTEL_* names an endpoint: install the extra `minos[otel]`, or unset it") from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "minos")
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return Spans(provider, w3c.TraceContextTextMapPropagator(), api.SpanKind.SERVER)
