"""`reference/metrics.md`, from everything that registers a figure."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from docs.generator.markdown import code, document, table

_ROOT = Path(__file__).parents[2]
_INTRODUCTION = """
Served as Prometheus text on `MINOS_METRICS_HOST` and `MINOS_METRICS_PORT` (127.0.0.1:9464), never on the API's own port.
The figures of all processes under one `minos up`, `serve` or `work` are added up there. Counters have the suffix `_total`,
histograms `_bucket`, `_sum` and `_count`. Routes are templates (`/api/v1/users/{user_id}`), never the paths that were asked for.
"""


def page() -> str:
    rows = sorted((code(m._name), m._type, ", ".join(map(code, m._labelnames)) or "-", m._documentation) for m in _figures())  # noqa: SLF001
    return document("Metrics", _INTRODUCTION, table(["Name", "Kind", "Labels", "Meaning"], rows))


def _figures() -> Iterator[MetricWrapperBase]:
    for part in ("adapters", "api", "workers", "cli"):
        for path in sorted((_ROOT / part).glob("*.py")):
            if "prometheus_client" in path.read_text():
                import_module(f"{part}.{path.stem}")
    for collector in set(REGISTRY._collector_to_names):  # noqa: SLF001 - the registry lists them nowhere else
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("minos_"):  # noqa: SLF001
            yield collector
