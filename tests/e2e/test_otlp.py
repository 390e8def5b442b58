"""Logs, metrics and traces of one sign-in arrive at a collector, and its ids join them; `test_spans.py` has what the traces say."""

import json
from typing import Any

import httpx

from bench.running import Running
from tests import rotel
from tests.e2e.collector import CONSUMER, Collector, Span, seen
from tests.e2e.people import register

SIGN_IN = frozenset({("method", "POST"), ("route", "/api/v1/auth/login")})


async def signed_in(http: httpx.AsyncClient, collector: Collector) -> Span:
    ada = await register(http)
    answer = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": ada.password})
    return await collector.arrived(answer.request)


async def test_a_collector_that_is_not_ours_understands_what_comes(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    assert (collector.through == "rotel") is not isinstance(rotel.found(), str)
    span = await signed_in(traced_http, collector)
    assert span.resource["service.name"] == "minos"
    assert {"service.version", "service.instance.id", "telemetry.sdk.name"} <= span.resource.keys()


async def test_the_log_line_of_a_request_is_joined_to_its_span(
    traced: tuple[Running, Collector], traced_http: httpx.AsyncClient, collector: Collector
) -> None:
    span = await signed_in(traced_http, collector)
    line = await seen(lambda: next((line for line in collector.lines if line.trace_id == span.trace_id), None))
    assert (line.span_id, line.event, line.severity) == (span.span_id, "request", "info")
    assert (line.attributes["route"], line.attributes["status"]) == ("/api/v1/auth/login", 200)
    assert line.resource["service.name"] == "minos"
    written = await seen(lambda: [json.loads(text) for text in traced[0].printed.splitlines() if span.trace_id in text] or None)
    assert [each["request_id"] for each in written] == [line.attributes["request_id"]]


async def test_what_workers_did_with_its_events_is_joined_by_its_correlation_id(
    traced_http: httpx.AsyncClient, collector: Collector
) -> None:
    span = await signed_in(traced_http, collector)
    append = next(each for each in collector.children(span) if each.name == "append events")
    correlation = str(append.attributes["minos.correlation_id"])

    def follows(name: str) -> Span | None:
        return next((each for each in collector.spans if each.name == name and correlation in ids(each)), None)

    def ids(each: Span) -> tuple[str, ...]:
        given = each.attributes.get("minos.correlation_ids", ())
        assert isinstance(given, tuple)
        return given

    published, projected = await seen(lambda: follows("publish events")), await seen(lambda: follows("project events"))
    for step in (published, projected):
        assert (step.kind, step.parent_id, step.failed) == (CONSUMER, "", False)
        assert step.trace_id != span.trace_id
        assert step.ended > append.began
    sequenced = [each for each in collector.spans if each.name == "sequence events"]
    assert any(int(str(each.attributes["minos.position"])) >= int(str(published.attributes["minos.position"])) for each in sequenced)


async def test_metrics_are_the_series_of_the_scrape(
    traced: tuple[Running, Collector], traced_http: httpx.AsyncClient, collector: Collector
) -> None:
    await signed_in(traced_http, collector)
    async with httpx.AsyncClient() as client:
        scraped = (await client.get(traced[0].metrics_url)).text
    families = [line.split()[2:] for line in scraped.splitlines() if line.startswith("# TYPE")]
    kinds = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}
    await seen(lambda: collector.series if {name for name, _ in families} <= collector.series.keys() else None)
    assert {(name, collector.series[name][0]) for name, _ in families} == {(name, kinds[kind]) for name, kind in families}
    wanted = 'minos_http_request_seconds_count{method="POST",route="/api/v1/auth/login"} '
    count = next(float(line.removeprefix(wanted)) for line in scraped.splitlines() if line.startswith(wanted))

    def told() -> Any:
        found = collector.series["minos_http_request_seconds"][1].get(SIGN_IN)
        return found if found is not None and found.count >= count else None

    point = await seen(told)
    assert sum(point.bucket_counts) == point.count
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert point.start_time_unix_nano < point.time_unix_nano
