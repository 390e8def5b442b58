"""What anybody may read: discovery, keys, health, the description."""

from pathlib import Path

import httpx
import jwt
import pytest
from msgspec.structs import replace

from adapters.settings import Settings
from api.app import create
from tests.api.conftest import BASE, Served, lifespan, settings_for, until_open
from tests.conftest import Database


async def test_a_stranger_can_verify_a_token_with_what_is_published(served: Served) -> None:
    person = await served.person(sign_in=False)
    await person.sign_in(audience="orders")
    keys = jwt.PyJWKSet.from_dict((await served.http.get("/.well-known/jwks.json")).json())
    key = keys[jwt.get_unverified_header(person.access)["kid"]]
    claims = jwt.decode(person.access, key, algorithms=["ES256"], audience="orders", issuer=BASE)
    assert claims["sub"] == person.user_id
    assert "email" not in claims


async def test_an_unchanged_key_set_is_not_sent_again(served: Served) -> None:
    first = await served.http.get("/.well-known/jwks.json")
    again = await served.http.get("/.well-known/jwks.json", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"].startswith("public, max-age=")


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
async def test_the_metadata_promises_nothing_that_is_not_there(served: Served, name: str) -> None:
    told = (await served.http.get(f"/.well-known/{name}")).json()
    assert (told["issuer"], told["jwks_uri"]) == (BASE, f"{BASE}/.well-known/jwks.json")
    assert (told["grant_types_supported"], told["response_types_supported"]) == (["client_credentials"], [])
    for endpoint in (value for key, value in told.items() if key.endswith("_endpoint")):
        assert (await served.http.post(endpoint, data={})).status_code == 401


async def test_health_names_no_secret(served: Served) -> None:
    for name in ("live", "ready", "startup"):
        answer = await served.http.get(f"/health/{name}")
        assert answer.status_code == 200
        assert "postgres://" not in answer.text


async def test_readiness_tells_the_level_of_the_schema(served: Served) -> None:
    told = (await served.http.get("/health/ready")).json()
    assert (told["status"], told["postgres"]) == ("ready", "up")
    assert told["schema_level"] >= 9


async def test_before_it_is_open_it_says_so_and_answers_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.edge.STARTING_SECONDS", 0)
    edge = create(Settings(issuer=BASE, allowed_hosts=("127.0.0.1",)))
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        assert (await http.get("/health/live")).status_code == 200
        assert (await http.get("/health/startup")).status_code == 503
        assert (await http.get("/health/ready")).status_code == 503
        answer = await http.post("/api/v1/auth/login", json={})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "starting", "1")


@pytest.mark.parametrize("path", ["/docs", "/docs/problems", "/docs/page.css"])
async def test_the_pages_fetch_nothing_from_elsewhere(served: Served, path: str) -> None:
    answer = await served.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].count("charset=utf-8") == 1
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text
    assert "'unsafe" not in answer.headers["content-security-policy"]


async def test_who_opens_the_printed_address_is_led_to_the_docs(served: Served) -> None:
    answer = await served.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert (await served.http.get("/", follow_redirects=True)).text.startswith("<!doctype html>")


async def test_the_docs_are_not_served_where_they_are_off(served: Served, api_database: Database, api_folder: Path) -> None:
    assert not Settings(environment="production").docs_are_open
    edge = create(replace(settings_for(api_database, api_folder), api_docs="off"))
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        await until_open(edge)
        answers = [await http.get(path) for path in ("/", "/docs", "/openapi.json")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
