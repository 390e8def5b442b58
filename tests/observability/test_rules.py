"""Prometheus takes the rules and the dashboards' queries; each alert fires when it is to, and none does where all is well."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import prometheus
from tests.observability.cases import FIRING, HEALTHY, LATE_MIN, SOON_MIN
from tests.observability.queries import ALERTS, FOLDER, queries


@pytest.fixture
def promtool() -> Path:
    program = prometheus.promtool()
    if isinstance(program, str):
        pytest.skip(program)
    return program


def told(promtool: Path, *arguments: str) -> str:
    ran = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def looked_at(series: dict[str, str], alert: str, *, firing: bool) -> dict[str, Any]:
    """One test of promtool: whether an alert fires with these series."""
    found = [{"labels": "{}", "value": 1}] if firing else []
    at = LATE_MIN if ALERTS[alert].get("for") == "1h" else SOON_MIN
    asked = {"expr": f'count(count by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing"}}))', "exp_samples": found}
    return {
        "name": alert,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [asked | {"eval_time": f"{at}m"}],
    }


def checked(promtool: Path, folder: Path, tests: list[dict[str, Any]]) -> None:
    rules = [str(FOLDER / "prometheus" / name) for name in ("recording.yaml", "alerts.yaml")]
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": rules, "evaluation_interval": "5m", "tests": tests}))
    told(promtool, "test", "rules", str(file))


def test_prometheus_takes_rules_and_configuration(promtool: Path) -> None:
    told(promtool, "check", "config", str(FOLDER / "prometheus" / "prometheus.yaml"))


def test_prometheus_takes_every_query_of_the_dashboards(promtool: Path, tmp_path: Path) -> None:
    rules = [{"record": f"q{n}", "expr": query} for n, (_, query) in enumerate(queries())]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    told(promtool, "check", "rules", str(tmp_path / "queries.yaml"))


def test_every_alert_fires_when_it_is_to(promtool: Path, tmp_path: Path) -> None:
    assert FIRING.keys() == ALERTS.keys()
    tests = list[dict[str, Any]]()
    for alert, otherwise in FIRING.items():
        assert otherwise.keys() <= HEALTHY.keys()
        series = {name: values for name, values in (HEALTHY | otherwise).items() if values is not None}
        tests.append(looked_at(series, alert, firing=True))
    checked(promtool, tmp_path, tests)


def test_none_fires_where_all_is_well(promtool: Path, tmp_path: Path) -> None:
    quiet = looked_at(HEALTHY, next(iter(ALERTS)), firing=False)
    quiet["promql_expr_test"] = [{"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{LATE_MIN}m", "exp_samples": []}]
    checked(promtool, tmp_path, [quiet])
