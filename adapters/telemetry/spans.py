"""Spans over OpenTelemetry. Names follow the semantic conventions where these have one.

Where traces are off nothing of it is imported, and nothing in the way of a request asks about it.
"""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from time import time_ns
from typing import Any

from adapters.telemetry import outgoing
from adapters.telemetry.chosen import Signal, library, resource, wanted
from domain.errors import Refused

Attributes = Mapping[str, str | int | Sequence[str]]
"""Words of our own and numbers, and correlation ids, which are made here and name nobody. No other id, nor anything that came with a
request or out of the store."""


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

    def __init__(self, provider: Any, name: str = "minos.api") -> None:
        self._api = library("opentelemetry.trace")
        self._nowhere = library("opentelemetry.context").Context()
        self._w3c = library("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()
        self._provider = provider
        self._tracer = provider.get_tracer(name)

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

    def done(self, name: str, seconds: float, attributes: Attributes) -> None:
        """Tell of work that has just ended and belongs to no request: a trace of its own."""
        now = time_ns()
        span = self._tracer.start_span(
            name, context=self._nowhere, kind=self._api.SpanKind.CONSUMER, attributes=attributes, start_time=now - int(seconds * 1e9)
        )
        span.end(now)

    def fail(self, span: Any, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(self._api.StatusCode.ERROR)

    @staticmethod
    def trace_id(span: Any) -> str:
        return f"{span.get_span_context().trace_id:032x}"

    def close(self) -> None:
        """Send what is left, within the library's own deadline."""
        self._provider.shutdown()


def spans(name: str, environ: Mapping[str, str] = os.environ) -> Spans | None:
    """Give what makes spans for a part of Minos, or None where traces are not wanted. Raises NoTelemetry."""
    if not wanted(Signal.TRACES, environ):
        return None
    sdk, export = library("opentelemetry.sdk.trace"), library("opentelemetry.sdk.trace.export")
    otlp = library("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    provider = sdk.TracerProvider(resource=resource())
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter(session=outgoing.session())))
    return Spans(provider, name)
