"""A real Prometheus over a real authority: it has every series that dashboards and rules ask for, and no alert where all is well."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.running import Running
from tests import prometheus
from tests.e2e.collector import Collector
from tests.e2e.people import register
from tests.observability.queries import ALERTS, ELSEWHERE, FOLDER, RECORDED, asked, queries
from tests.observability.test_queries import SERIES

NOT_YET = frozenset({"minos:http_errors:rate5m"})
"""Recorded of what has not happened here."""
OF_THE_MACHINE = frozenset({"MinosDiskFull"})
"""It is no fault of the authority where the disk of who tests is full."""


async def answered(client: httpx.AsyncClient, path: str, **parameters: str) -> Any:
    return (await client.get(path, params=parameters)).raise_for_status().json()["data"]


async def names(client: httpx.AsyncClient) -> set[str]:
    return set(await answered(client, "/label/__name__/values"))


def happened(scraped: str) -> set[str]:
    """Series with a value: what is counted by labels is there once it has happened."""
    return {sample.name for family in text_string_to_metric_families(scraped) for sample in family.samples}


def without_labels(wanted: set[str]) -> set[str]:
    """Those that are there without anything having happened."""
    return {name for name in wanted if name in SERIES and not SERIES[name] - {"le"}}


@pytest.mark.timeout(90)
async def test_every_series_is_there_and_no_alert_fires(traced: tuple[Running, Collector]) -> None:
    program, (running, _) = prometheus.prometheus(), traced
    if isinstance(program, str):
        pytest.skip(program)
    target = running.metrics_url.removeprefix("http://").removesuffix("/metrics")
    async with httpx.AsyncClient(base_url=running.url, timeout=10) as http, httpx.AsyncClient() as plain:
        await register(http)
        scraped = happened((await plain.get(running.metrics_url)).text)
    wanted = {each.name for _, query in queries() for each in asked(query)} - ELSEWHERE
    expected = without_labels(wanted) | (wanted & scraped) | (RECORDED.keys() & wanted) - NOT_YET
    with tempfile.TemporaryDirectory(prefix="minos-prometheus-") as folder:
        async with prometheus.running(program, Path(folder), target=target, rules=FOLDER / "prometheus") as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    while not await ready(client) or not expected <= await names(client):
                        await asyncio.sleep(0.25)
            assert expected <= await names(client)
            groups = (await answered(client, "/rules"))["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            assert {rule["name"] for rule in rules if rule["type"] == "alerting"} == ALERTS.keys()
            assert {rule["health"] for rule in rules} == {"ok"}
            alerts = [alert["labels"]["alertname"] for alert in (await answered(client, "/alerts"))["alerts"] if alert["state"] == "firing"]
            assert set(alerts) <= OF_THE_MACHINE


async def ready(client: httpx.AsyncClient) -> bool:
    """Whether it has asked our target, and gone through every rule once."""
    try:
        targets = (await answered(client, "/targets"))["activeTargets"]
        groups = (await answered(client, "/rules"))["groups"]
    except httpx.HTTPError:
        return False  # it starts
    asked_once = [target["health"] for target in targets] == ["up"]
    return asked_once and all(rule["health"] == "ok" for group in groups for rule in group["rules"])
