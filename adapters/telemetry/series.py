"""Metrics over OTLP: the very series that `/metrics` gives, names and labels alike, sent now and then by one process of the tree."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from time import time_ns
from typing import TYPE_CHECKING, Any

import structlog

from adapters.metrics_server import living
from adapters.telemetry import outgoing
from adapters.telemetry.chosen import NoTelemetry, Signal, library, resource, wanted

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
_DEFAULT_MS = 60_000
_LAST_S = 2.0


class SeriesSender:
    """Sends what the folder's files add up to, from a thread, until `stop`; then once more."""

    def __init__(self, folder: Path) -> None:
        self._every_s = _interval_s()
        self._collector = living(folder)
        self._exporter = library("opentelemetry.exporter.otlp.proto.http.metric_exporter").OTLPMetricExporter(session=outgoing.session())
        self._written = _Written()
        self._over = Event()
        self._thread = Thread(target=self._run, name="series", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what there is now, if that takes no longer than two seconds."""
        self._over.set()
        self._thread.join(_LAST_S)
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self._send()
        self._send()

    def _send(self) -> None:
        try:
            self._exporter.export(self._written.data(self._collector.collect()))
        except Exception as error:  # noqa: BLE001 - a thread's edge: the next time may find the collector there
            structlog.get_logger().warning("series_not_sent", error_type=type(error).__name__)


class _Written:
    """Prometheus families as the library's own structures. Counters and histograms count from when this was made."""

    def __init__(self) -> None:
        self._points = library("opentelemetry.sdk.metrics.export")
        self._scope = library("opentelemetry.sdk.util.instrumentation").InstrumentationScope("minos")
        self._resource = resource()
        self._began = time_ns()

    def data(self, families: Iterable["Metric"]) -> Any:
        now = time_ns()
        metrics = [metric for family in families if family.samples for metric in self._metrics(family, now)]
        scope = self._points.ScopeMetrics(scope=self._scope, metrics=metrics, schema_url="")
        whole = self._points.ResourceMetrics(resource=self._resource, scope_metrics=[scope], schema_url="")
        return self._points.MetricsData(resource_metrics=[whole])

    def _metrics(self, family: "Metric", now: int) -> Iterator[Any]:
        cumulative = self._points.AggregationTemporality.CUMULATIVE
        if family.type == "counter":
            points = [self._number(sample, now) for sample in family.samples]
            name, data = f"{family.name}_total", self._points.Sum(points, cumulative, is_monotonic=True)
        elif family.type == "histogram":
            name, data = family.name, self._points.Histogram(list(self._histograms(family.samples, now)), cumulative)
        else:
            name, data = family.name, self._points.Gauge([self._number(sample, now) for sample in family.samples])
        yield self._points.Metric(name=name, description=family.documentation, unit="", data=data)

    def _number(self, sample: "Sample", now: int) -> Any:
        return self._points.NumberDataPoint(
            attributes=dict(sample.labels), start_time_unix_nano=self._began, time_unix_nano=now, value=sample.value
        )

    def _histograms(self, samples: Sequence["Sample"], now: int) -> Iterator[Any]:
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        below: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
        for sample in samples:
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            if sample.name.endswith("_sum"):
                sums[labels] = sample.value
            elif sample.name.endswith("_bucket"):
                below.setdefault(labels, {})[float(sample.labels["le"])] = sample.value
        for labels, buckets in below.items():
            bounds = sorted(buckets)
            counts = [int(after - before) for before, after in pairwise([0.0, *(buckets[bound] for bound in bounds)])]
            yield self._points.HistogramDataPoint(
                attributes=dict(labels), start_time_unix_nano=self._began, time_unix_nano=now, count=sum(counts), sum=sums[labels],
                bucket_counts=counts, explicit_bounds=bounds[:-1], min=None, max=None,
            )  # fmt: skip


def _interval_s() -> float:
    given = os.environ.get(_INTERVAL, "").strip()
    if given and not (given.isdecimal() and int(given)):
        raise NoTelemetry(f"{_INTERVAL} is not a number of milliseconds")
    return int(given or _DEFAULT_MS) / 1000


def series_sender(folder: Path) -> SeriesSender | None:
    """Begin to send the metrics of a tree of processes; None where they are not wanted over OTLP. Raises NoTelemetry."""
    return SeriesSender(folder) if wanted(Signal.METRICS) else None
