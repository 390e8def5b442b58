"""Spans over OpenTelemetry, where the `otel` extra is installed and an endpoint is set (OTEL_* variables).

Otherwise nothing of it is imported, and nothing in the way of a request asks about it. Its packages are looked up by name, so that
the type checkers need not have them. Names follow the semantic conventions where these have one.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from domain.errors import Refused

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

Attributes = Mapping[str, str | int]
"""Words of our own and numbers. Never an id, nor anything that came with a request or out of the store."""


class NoTracing(Exception):
    """An endpoint is set but the `otel` extra is not installed."""


class Step:
    """What a request waits for: one span, or several that follow one another."""

    def __init__(self, start: Callable[[str], Any], name: str) -> None:
        self._start = start
        self.span = start(name)

    def then(self, name: str) -> None:
        """End the span and begin the next."""
        self.span.end()
        self.span = self._start(name)


class Spans:
    """Makes spans; sending them is the business of a thread of the library's."""

    def __init__(self, provider: Any) -> None:
        self._api = import_module("opentelemetry.trace")
        self._w3c = import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()
        self._provider = provider
        self._tracer = provider.get_tracer("minos.api")

    @contextmanager
    def request(self, name: str, attributes: Attributes, *, traceparent: bytes | None) -> Generator[Any]:
        """Be what every step within belongs to, also those in tasks that begin within."""
        carrier = {} if traceparent is None else {"traceparent": traceparent.decode("latin-1")}
        span = self._tracer.start_span(name, context=self._w3c.extract(carrier), kind=self._api.SpanKind.SERVER, attributes=attributes)
        # An exception's words may hold what somebody sent: they are for no span.
        with self._api.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield span

    @contextmanager
    def step(self, name: str, attributes: Attributes | None = None, *, to_database: bool = False) -> Generator[Step]:
        """A refusal is an answer, and no error; any other exception is one, by its type alone."""
        kind = self._api.SpanKind.CLIENT if to_database else self._api.SpanKind.INTERNAL
        step = Step(lambda name: self._tracer.start_span(name, kind=kind, attributes=attributes), name)
        try:
            yield step
        except Refused as refused:
            step.span.set_attribute("minos.refusal", refused.code)
            raise
        except Exception as error:
            self.fail(step.span, type(error).__qualname__)
            raise
        finally:
            step.span.end()

    def fail(self, span: Any, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(self._api.StatusCode.ERROR)

    def close(self) -> None:
        """Send what is left, within the library's own deadline."""
        self._provider.shutdown()


def spans(environ: Mapping[str, str] = os.environ) -> Spans | None:
    """Give what makes spans, or None where no endpoint is set. Raises NoTracing."""
    if not any(environ.get(name) for name in _ENDPOINTS):
        return None
    try:
        sdk, export = import_module("opentelemetry.sdk.trace"), import_module("opentelemetry.sdk.trace.export")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise NoTracing("OTEL_* names an endpoint: install the extra `minos[otel]`, or unset it") from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "minos")
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return Spans(provider)
