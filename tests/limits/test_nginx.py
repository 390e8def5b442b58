"""The limits written for nginx: that it takes them (where it can be had), and that it counts as the policy says."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
from litestar import Litestar

from adapters.limits.policy import DEFAULT, Kind
from adapters.limits.policy_file import load
from adapters.settings import Settings
from api.addresses import ASKED_ALIKE, CHECK, Served
from api.app import create, served
from bench import nginx
from cli.nginx_limits import written
from docs.console.authority import ROOT
from tests.api.test_access import ALL, Route

SERVED = [Served(route.method, route.path, route.operation) for route in ALL]
HTTP, SERVER = (written(part, load(None), SERVED) for part in ("http", "server"))


def classes(method: str, path: str) -> str:
    """Take the map as nginx does: the first pattern that matches."""
    (table,) = re.findall(r"\$minos_class \{\n(.*?)\n\}", HTTP, re.DOTALL)
    patterns = re.findall(r'"~(\S+ \S+)" is_(\w+);', table)
    return next((name for pattern, name in patterns if re.search(pattern, f"{method} {path}")), DEFAULT)


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.operation)
def test_nginx_puts_every_operation_into_its_class(route: Route) -> None:
    each = SERVED[ALL.index(route)]
    path = re.sub(r"\{\w+\}", "01a200ed-2093-7b9d-afa1-03b872f94dc6", each.path)
    assert classes(each.method, path) == load(None).of(each.operation).name


@pytest.mark.parametrize("asked", ["GET /api/v1/auth/login", "POST /api/v1/auth/login/", "BREW /", "GET /x.php"])
def test_what_nothing_answers_to_has_the_default(asked: str) -> None:
    method, path = asked.split(" ")
    assert classes(method, path) == DEFAULT


def test_every_rate_it_can_count_is_there_as_the_same_bucket() -> None:
    for each in load(None).classes.values():
        for kind in (Kind.ADDRESS, Kind.NETWORK):
            for rate in each.rates.get(kind, ()):
                zone = f"minos_{each.name}_{kind}_{rate.seconds}"
                (per,) = re.findall(rf"zone={zone}:10m rate=(\d+)r/([sm]);", HTTP)
                per_second = int(per[0]) / {"s": 1, "m": 60}[per[1]]
                assert 0 <= per_second - rate.amount / rate.seconds <= 1 / 60
                assert f"limit_req zone={zone} burst={rate.amount - 1} nodelay;" in SERVER


def test_a_gateways_question_is_one_by_any_method(tmp_path: Path) -> None:
    """As Minos counts it: Envoy asks with the method of the request it asks about."""
    app = cast("Litestar", create(Settings(data_dir=tmp_path)).app)
    patterns = re.findall(r'"~(\S+ \S+)" is_gateways;', written("http", load(None), served(app)))
    for method in ("GET", "HEAD", *ASKED_ALIKE):
        assert any(re.search(pattern, f"{method} {CHECK}") for pattern in patterns), method


def test_nginx_takes_it_beside_the_gateway_that_is_shipped(tmp_path: Path) -> None:
    """The two are written to lie in one folder, and name nothing alike."""
    program = nginx.found()
    if isinstance(program, str):
        pytest.skip(program)
    shutil.copytree(ROOT / "deploy" / "nginx", tmp_path, dirs_exist_ok=True)
    (tmp_path / "minos" / "http.conf").write_text(HTTP)
    (tmp_path / "minos" / "server.conf").write_text(SERVER)
    config = tmp_path / "nginx.conf"
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {folders} include minos/http.conf; include gateway.conf;\n"
        f"  server {{ listen unix:{tmp_path}/socket; include minos/server.conf; location / {{ proxy_pass http://minos; }} }}\n}}\n"
    )
    tried = subprocess.run([program, "-t", "-p", tmp_path, "-c", config], capture_output=True, text=True, timeout=20, check=False)
    assert tried.returncode == 0, tried.stderr
