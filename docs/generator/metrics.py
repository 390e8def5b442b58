"""`reference/metrics.md`, from everything that registers a figure."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase

from docs.generator.markdown import code, document, table

_ROOT = Path(__file__).parents[2]
_INTRODUCTION = """
Served as Prometheus text on `MINOS_METRICS_HOST` and `MINOS_METRICS_PORT` (127.0.0.1:9464), never on the API's own port.
The figures of all processes under one `minos up`, `serve` or `work` are added up there. Histograms have
the suffixes `_bucket`, `_sum` and `_count`. Routes are templates (`/api/v1/users/{user_id}`), never the paths that were asked for.
"""


def page() -> str:
    return document("Metrics", _INTRODUCTION, table(["Name", "Kind", "Labels", "Meaning"], sorted(set(_rows()))))


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for figure in {
        id(found): found for module in _modules() for found in vars(module).values() if isinstance(found, MetricWrapperBase)
    }.values():
        (described,) = figure.describe()
        labels: tuple[str, ...] = getattr(figure, "_labelnames", ())  # shown nowhere else before a label has a value
        name = f"{described.name}_total" if described.type == "counter" else described.name
        yield code(name), described.type, ", ".join(map(code, labels)) or "-", described.documentation


def _modules() -> Iterator[ModuleType]:
    for part in ("adapters", "api", "workers", "cli"):
        for path in sorted((_ROOT / part).glob("*.py")):
            if "prometheus_client" in path.read_text():
                yield import_module(f"{part}.{path.stem}")
