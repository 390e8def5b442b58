"""Audiences over HTTP: registered, changed and retired by whoever may; a token for one is worth nothing elsewhere."""

import pytest

from api.nats_links import every_audience
from tests.api.conftest import Person, Served


async def test_an_audience_is_registered_listed_changed_and_retired(served: Served, admin: Person) -> None:
    wish = {"name": "tickets", "permissions": ["tickets.read"], "description": "Help desk", "access_token_ttl": 90}
    made = await admin.ask("POST", "/audiences", json=wish)
    assert (made.status_code, made.json()) == (201, {"audience": "tickets"})
    person = await served.person(sign_in=False)
    assert (await person.sign_in(audience="tickets"))["expires_in"] == 90
    await served.project()
    [row] = [a for a in (await admin.ask("GET", "/audiences")).json()["data"] if a["audience"] == "tickets"]
    assert (row["description"], row["permissions"], row["principals"]) == ("Help desk", ["tickets.read"], ["service", "user"])
    assert (await admin.ask("PUT", "/audiences/tickets", json={"principals": ["service"]})).status_code == 204
    assert (await admin.ask("GET", "/audiences/tickets")).json()["permissions"] == []
    again = await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh})
    assert (again.status_code, again.json()["code"]) == (403, "audience_not_allowed")
    assert (await admin.ask("POST", "/audiences/tickets/retire")).status_code == 204
    assert (await admin.ask("POST", "/audiences", json={"name": "tickets"})).json()["code"] == "audience_exists"


async def test_a_life_of_more_than_an_hour_is_refused(admin: Person) -> None:
    answer = await admin.ask("POST", "/audiences", json={"name": "long", "access_token_ttl": 3_601})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/access_token_ttl")


async def test_threat_7_nobody_opens_nats_or_minos_to_people(admin: Person) -> None:
    for name in ("nats", "minos"):
        assert (await admin.ask("POST", "/audiences", json={"name": name})).json()["code"] == "audience_protected"
        assert (await admin.ask("PUT", f"/audiences/{name}", json={})).json()["code"] == "audience_protected"
        assert (await admin.ask("POST", f"/audiences/{name}/retire")).json()["code"] == "audience_protected"


async def test_an_audience_of_a_callers_own_making_is_refused(served: Served) -> None:
    """Free-text audience: no name is an audience because somebody asks for it."""
    person = await served.person(sign_in=False)
    answer = await served.http.post(
        "/api/v1/auth/login", json={"email": person.email, "password": "correct horse battery staple", "audience": "made-up"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "audience_not_allowed")
    for audience in ("orders; minos", "https://minos.example", "orders,reports"):
        answer = await served.http.post(
            "/api/v1/auth/login", json={"email": person.email, "password": "correct horse battery staple", "audience": audience}
        )
        assert answer.status_code == 422


async def test_a_service_with_a_pattern_is_let_in_for_every_audience_there_is(
    served: Served, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.nats_links.READ_AT_ONCE", 1)
    await served.project()
    listed = [row["audience"] for row in (await admin.ask("GET", "/audiences?retired=false&limit=200")).json()["data"]]
    assert len(listed) > 1
    assert await every_audience(served.world.models) == listed
    monkeypatch.setattr("api.nats_links.MOST_AUDIENCES", 1)
    assert await every_audience(served.world.models) == listed[:1]
