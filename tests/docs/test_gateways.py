"""Configurations of gateways name what Minos sends, take nothing of it from clients and fail closed. nginx and Envoy are run besides."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from api.check import HEADERS
from docs.console.authority import ROOT

DEPLOY = ROOT / "deploy"
TRAEFIK: dict[str, Any] = yaml.safe_load((DEPLOY / "traefik" / "minos.yaml").read_text())["http"]
ENVOY: dict[str, Any] = yaml.safe_load((DEPLOY / "envoy" / "envoy.yaml").read_text())["static_resources"]
MANAGER: dict[str, Any] = ENVOY["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
CHECKS: dict[str, dict[str, Any]] = {
    each["name"]: each["typed_config"] for each in MANAGER["http_filters"] if each["name"].startswith("minos.")
}
ODD_TO_ENVOY = r".*([^!-~]|[;\\]|\./|%(0|1|20|25|3[Bb]|5[Cc]|7[Ff]|[89A-Fa-f]|.?[^0-9A-Fa-f]|.?$)).*|.*\."
ODD_TO_TRAEFIK = r"[^!-~]|[;%\\]|\.(/|$)"
ADDRESSES = ("X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Prefix", "Forwarded")
"""What some frameworks believe more than the first line of a request."""
OF_THE_GATEWAY = ("X-Forwarded-Host", "X-Forwarded-Port")
"""Which Traefik writes itself."""
LOWER = {name.lower() for name in HEADERS}


def asks(question: str) -> bool:
    """It is the check, for a named audience, each parameter once."""
    address = urlsplit(question)
    names = [name for name, _ in parse_qsl(address.query, strict_parsing=True)]
    return address.path == "/api/v1/auth/check" and "audience" in names and len(set(names)) == len(names)


def test_nginx_takes_each_other_address_away_wherever_it_passes_something_on() -> None:
    folder = DEPLOY / "nginx" / "minos"
    taken = (folder / "address.conf").read_text()
    assert all(f'proxy_set_header {name} "";' in taken for name in [*ADDRESSES, *OF_THE_GATEWAY])
    assert all("include minos/address.conf;" in (folder / name).read_text() for name in ("open.conf", "protect.conf"))


def test_every_name_has_one_hyphen_so_that_it_has_one_other_spelling() -> None:
    assert all(name.count("-") == 1 and name.replace("-", "").isalpha() for name in HEADERS)


def test_nginx_replaces_each_and_empties_each_where_anybody_may_come() -> None:
    for name in HEADERS:
        variable = f"${name.lower().replace('-', '_')}"
        protect = (DEPLOY / "nginx" / "minos" / "protect.conf").read_text()
        assert f"proxy_set_header {name} {variable};" in protect
        assert f"auth_request_set {variable} $upstream_http_{variable[1:]};" in protect
        assert f'proxy_set_header {name} "";' in (DEPLOY / "nginx" / "minos" / "open.conf").read_text()


def test_traefik_strips_both_spellings_first_and_keeps_the_credential_last() -> None:
    middlewares = TRAEFIK["middlewares"]
    stripped = middlewares["minos-strip"]["headers"]["customRequestHeaders"]
    assert stripped == {each: "" for name in [*HEADERS, *ADDRESSES] for each in (name, name.replace("-", "_"))}
    assert middlewares["minos-keep"]["headers"]["customRequestHeaders"] == {"Authorization": "", "X-API-Key": ""}
    for router in TRAEFIK["routers"].values():
        assert (router["middlewares"][0], router["middlewares"][-1]) == ("minos-strip", "minos-keep")
        assert set(router["middlewares"]) <= middlewares.keys()
        assert router["service"] in TRAEFIK["services"]


def test_traefik_leads_odd_addresses_nowhere_and_asks_most_for_what_is_for_few() -> None:
    rules = {name: router["rule"] for name, router in TRAEFIK["routers"].items()}
    assert all(rule.endswith(f" && !PathRegexp(`{ODD_TO_TRAEFIK}`)") for rule in rules.values())
    assert rules["orders-admin"].split(" && ")[1] == "PathRegexp(`^/orders/(?i:admin)`)"
    assert max(TRAEFIK["routers"], key=lambda name: TRAEFIK["routers"][name]["priority"]) == "orders-admin"


@pytest.mark.parametrize("name", ["minos-orders", "minos-orders-admin"])
def test_traefik_asks_with_the_credential_alone_and_lays_each_header_over_the_request(name: str) -> None:
    check = TRAEFIK["middlewares"][name]["forwardAuth"]
    assert asks(check["address"])
    assert set(check["authResponseHeaders"]) == set(HEADERS)
    assert check["authRequestHeaders"] == ["Authorization", "X-API-Key"]
    assert [check[name] for name in ("trustForwardHeader", "forwardBody", "preserveRequestMethod")] == [False] * 3


def test_envoy_strips_each_before_any_filter_and_refuses_the_other_spelling() -> None:
    mutations = MANAGER["early_header_mutation_extensions"][0]["typed_config"]["mutations"]
    assert {each["remove"] for each in mutations} == LOWER | {name.lower() for name in [*ADDRESSES, *OF_THE_GATEWAY]}
    assert MANAGER["common_http_protocol_options"]["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert MANAGER["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    assert MANAGER["http_filters"][-1]["name"] == "envoy.filters.http.router"


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_envoy_asks_what_is_written_and_fails_closed(name: str) -> None:
    check, service = CHECKS[name], CHECKS[name]["http_service"]
    assert asks(service["path_override"])
    assert (check["failure_mode_allow"], check["status_on_error"]) == (False, {"code": "ServiceUnavailable"})
    assert service["authorization_response"]["allowed_upstream_headers"] == {"patterns": [{"prefix": "minos-"}]}
    assert service["server_uri"]["cluster"] in {each["name"] for each in ENVOY["clusters"]}


def test_every_route_of_envoy_says_what_it_leaves_out_and_only_the_open_one_asks_nothing() -> None:
    [host] = MANAGER["route_config"]["virtual_hosts"]
    assert host["request_headers_to_remove"] == ["authorization", "x-api-key"]
    asked = [(route["match"], CHECKS.keys() - route.get("typed_per_filter_config", {}).keys()) for route in host["routes"]]
    assert asked == [
        ({"safe_regex": {"regex": ODD_TO_ENVOY}}, set()),
        ({"prefix": "/orders/admin", "case_sensitive": False}, {"minos.orders-admin"}),
        ({"prefix": "/orders/"}, {"minos.orders"}),
        ({"prefix": "/open/"}, set()),
    ]
