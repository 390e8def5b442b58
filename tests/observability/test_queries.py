"""Every query of dashboards and rules asks for series that there are, by labels that they have."""

from collections.abc import Iterator

import pytest
from prometheus_client.metrics import MetricWrapperBase

from docs.generator.metrics import _modules
from tests.observability.queries import ALERTS, ELSEWHERE, RECORDED, asked, queries

QUERIES = [pytest.param(query, id=f"{where} {n}") for n, (where, query) in enumerate(queries())]


def declared() -> Iterator[tuple[str, frozenset[str]]]:
    """Every series that the code makes, with its labels."""
    for module in _modules():
        for figure in vars(module).values():
            if isinstance(figure, MetricWrapperBase):
                (family,) = figure.describe()
                labels = frozenset(figure._labelnames)
                if family.type == "histogram":
                    yield from (
                        (f"{family.name}_{part}", labels | ({"le"} if part == "bucket" else set())) for part in ("bucket", "sum", "count")
                    )
                else:
                    yield f"{family.name}_total" if family.type == "counter" else family.name, labels


SERIES = dict(declared())


def labels_of(name: str) -> frozenset[str] | None:
    """None where the labels are not ours to know."""
    if name in ELSEWHERE:
        return None
    if name in RECORDED:
        return frozenset().union(*(each.labels for each in asked(RECORDED[name])))
    return SERIES[name]


@pytest.mark.parametrize("query", QUERIES)
def test_what_a_query_asks_for_is_there(query: str) -> None:
    found = asked(query)
    assert found
    for each in found:
        assert each.name in SERIES.keys() | RECORDED.keys() | ELSEWHERE
        has = labels_of(each.name)
        assert has is None or each.labels <= has, each.name


def test_the_dashboards_show_every_series_there_is_but_these() -> None:
    shown = {each.name for _, query in queries() for each in asked(query)}
    left = {
        name for name in SERIES
        if not name.endswith(("_sum", "_count", "_bucket")) and name not in shown
    }  # fmt: skip
    assert left == {
        "minos_cosigned_size", "minos_month_keys", "minos_projection_position", "minos_service_tokens_ending", "minos_signals_epoch",
        "minos_signals_position", "minos_signals_total", "minos_subject_keys_rewrapped_total", "minos_tree_size",
    }  # fmt: skip


def test_a_query_for_what_there_is_not_is_seen() -> None:
    assert [each.name in SERIES for each in asked("sum(rate(minos_nothing_total[5m]))")] == [False]
    (one,) = asked('sum by (outcome) (minos_sign_ins_total{nowhere="1"})')
    assert one.labels == {"outcome", "nowhere"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/how-to/runbooks.md#{name.lower()}"
