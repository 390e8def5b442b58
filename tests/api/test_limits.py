"""Limits as operators see them, and the table of addresses they are looked up in."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from adapters.limits.exchanger import EVERY_SECONDS
from api.addresses import Addresses
from api.addresses import Served as Address
from tests.api.conftest import Person, Served
from tests.api.test_access import ALL, Route
from tests.attacks.limited import ADDRESS, Caller, limited
from tests.conftest import Database

ADDRESSES = Addresses(Address(route.method, route.path, route.operation) for route in ALL)


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.operation)
def test_every_operation_is_found_by_its_address(route: Route) -> None:
    found = ADDRESSES.find(route.method, route.at().partition("?")[0])
    assert found is not None
    assert found.operation == route.operation


@pytest.mark.parametrize(("method", "path"), [("GET", "/nope"), ("POST", "/health/live"), ("GET", "/api/v1/users/a/b/c"), ("BREW", "/")])
def test_where_there_is_nothing_nothing_is_found(method: str, path: str) -> None:
    assert ADDRESSES.find(method, path) is None


def test_what_is_spelled_out_comes_before_a_parameter() -> None:
    both = Addresses([Address("GET", "/a/{id}", "any"), Address("GET", "/a/{id}/c", "any_c"), Address("GET", "/a/b/c", "b_c")])
    assert [getattr(both.find("HEAD", path), "operation", None) for path in ("/a/b", "/a/b/c", "/a/x/c")] == ["any", "b_c", "any_c"]


async def test_the_limits_in_force_are_shown(admin: Person) -> None:
    shown = (await admin.ask("GET", "/limits")).json()
    assert shown["shared"] is True
    (first,) = [each for each in shown["data"] if (each["group"], each["counts"], each["seconds"]) == ("sign_in", "address", 60)]
    assert "login" in first.pop("operations")
    assert first == {"group": "sign_in", "counts": "address", "amount": 6_000_000, "seconds": 60}


async def test_readiness_says_whether_limits_are_shared(served: Served) -> None:
    ready = (await served.http.get("/health/ready")).json()
    assert (ready["status"], ready["limits"]) == ("ready", "shared")


async def test_refusals_are_counted_by_operation_and_kind(served: Served, api_database: Database, api_folder: Path) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("minos_rate_limited_total", {"operation": "login", "kind": "address"}) or 0.0

    before = counted()
    async with limited(api_database, api_folder) as edge:
        caller = Caller(edge, "198.51.100.200")
        for n in range(ADDRESS + 3):
            await caller.sign_in(f"nobody-{n}@example.org")
    assert counted() - before == 3


async def test_limits_outlive_the_process_that_counted(served: Served, api_database: Database, api_folder: Path) -> None:
    """What another process let in is known with the first exchange; until then a new one goes by itself."""
    async with limited(api_database, api_folder) as edge:
        caller = Caller(edge, "198.51.100.201")
        assert [await caller.sign_in(f"nobody-{n}@example.org") for n in range(ADDRESS)] == [401] * ADDRESS
    async with limited(api_database, api_folder) as edge:
        caller = Caller(edge, "198.51.100.201")
        answers = [await caller.sign_in("nobody-6@example.org")]
        while answers[-1] != 429 and len(answers) < ADDRESS:  # alone it would let in as many as the one before
            await asyncio.sleep(2 * EVERY_SECONDS)
            answers.append(await caller.sign_in(f"nobody-{6 + len(answers)}@example.org"))
    assert (answers[0], answers[-1]) == (401, 429)
