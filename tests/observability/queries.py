"""The queries of dashboards, rules and alerts, and what they ask for."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import promql_parser
import yaml

from docs.console.authority import ROOT

FOLDER = ROOT / "deploy" / "observability"
RULES = {
    path.name: yaml.safe_load(path.read_text()) for path in (FOLDER / "prometheus" / name for name in ("recording.yaml", "alerts.yaml"))
}
RECORDED = {rule["record"]: rule["expr"] for group in RULES["recording.yaml"]["groups"] for rule in group["rules"]}
ALERTS = {rule["alert"]: rule for group in RULES["alerts.yaml"]["groups"] for rule in group["rules"]}
ELSEWHERE = frozenset({"up", "probe_ssl_earliest_cert_expiry"})
"""Series of Prometheus itself, and of the blackbox exporter."""


class Asked(NamedTuple):
    """One series that a query asks for, with the labels it looks at."""

    name: str
    labels: frozenset[str]


def queries() -> Iterator[tuple[str, str]]:
    """Give every query with where it is from."""
    yield from RECORDED.items()
    yield from ((name, rule["expr"]) for name, rule in ALERTS.items())
    for path in sorted((FOLDER / "grafana" / "dashboards").glob("*.json")):
        board = msgspec.json.decode(path.read_bytes())
        yield from (
            (f"{board['uid']}: {panel['title']}", target["expr"]) for panel in board["panels"] for target in panel.get("targets", ())
        )


def asked(query: str) -> list[Asked]:
    """Parse a query and give what it asks for. Raises ValueError, as promql_parser does."""
    return list(_asked(promql_parser.parse(query), frozenset()))


def _asked(node: Any, grouped: frozenset[str]) -> Iterator[Asked]:
    if isinstance(node, promql_parser.VectorSelector):
        yield Asked(node.name, grouped | {matcher.name for matcher in node.matchers.matchers})
        return
    if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
        grouped = grouped | set(node.modifier.labels)
    for part in ("vector_selector", "expr", "lhs", "rhs", "args"):
        if (below := getattr(node, part, None)) is not None:
            for each in below if isinstance(below, list) else [below]:
                yield from _asked(each, grouped)
