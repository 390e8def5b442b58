"""Faults that services of this kind are known for, each named, each shown not to be here."""

import asyncio
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from adapters.children import spawn, stop
from bench.running import Running, free_ports, minos
from tests.e2e.people import PASSWORD, Person, address, register
from tests.e2e.stored import everything_stored, rows, sequenced

TESTS = Path(__file__).parents[1]
NOBODYS = "00000000-0000-7000-8000-000000000000"
ASKED = {
    "/api/v1/auth/check": {"audience": "minos"},
    "/api/v1/audit/proofs/consistency": {"first": "1", "second": "1"},
}
ANSWERED = {"/api/v1/erasures/unacknowledged": 422, "/api/v1/erasures/{user_id}": 404}
"""The first asks which of its audiences a service means; nobody is erased here."""
RECORDED = ("/api/v1/audit/at", "/api/v1/audit/diff", "/api/v1/audit/proofs", "/api/v1/audit/replay", "/audit/tokens/{jti}", "/explain")
"""What is asked of the past is an event of its own, which is the point of it."""


async def test_role_chosen_at_registration(http: httpx.AsyncClient, admin: Person) -> None:
    for chosen in ({"roles": ["admin"]}, {"role": "admin"}, {"is_admin": True}, {"status": "active"}, {"user_id": admin.user_id}):
        answer = await http.post("/api/v1/auth/register", json={"email": address(), "password": PASSWORD} | chosen)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    ada = await register(http)
    assert (await ada.ask("PATCH", "/me", {"roles": ["admin"]})).status_code == 422
    assert (await ada.get("/me")).json()["roles"] == ["user"]


async def test_open_role_endpoint(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    wish = {"name": "mine", "permissions": ["*"]}
    assert (await http.post("/api/v1/roles", json=wish)).status_code == 401
    assert (await ada.ask("POST", "/roles", wish)).status_code == 403
    assert (await ada.ask("PUT", f"/users/{ada.user_id}/roles/admin")).status_code == 403


async def test_documents_ahead_of_code(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    document = (await http.get("/openapi.json")).json()
    some = "01900000-0000-7000-8000-000000000000"
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "put", "post", "patch", "delete"}:
            filled = path.replace("{user_id}", some).replace("{session_id}", some).replace("{role}", "none").replace("{kid}", "A" * 43)
            answer = await http.request(method, filled)
            assert answer.status_code not in {405, 501}, (method, path)
            assert answer.status_code != 404 or answer.json()["code"] != "route_not_found", (method, path)
    metadata = (await http.get("/.well-known/openid-configuration")).json()
    served = [value for value in metadata.values() if isinstance(value, str) and value.startswith(running.url + "/")]
    assert served
    for url in served:
        described = document["paths"].get(url.removeprefix(running.url), {"get": {}})
        assert "get" not in described or (await http.get(url)).status_code == 200


def test_tests_against_mocks() -> None:
    for path in TESTS.rglob("*.py"):
        if path != Path(__file__):
            assert "mock" not in {
                word.strip(".,()") for line in path.read_text().splitlines() if "import" in line for word in line.split()
            }, path


async def test_secrets_in_clear_text_stores(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http, name="Countess of Lovelace", username="countess.of.l")
    await ada.refresh()
    looked_for = [
        ada.email, PASSWORD, "Countess of Lovelace", "countess.of.l", ada.tokens["access_token"], ada.tokens["refresh_token"],
        ada.tokens["refresh_token"].rpartition(".")[2], running.bootstrap_code, "127.0.0.1",
    ]  # fmt: skip
    ours = running.url  # the issuer, which signals name, is at the address that everybody comes from here
    stored = (
        (await everything_stored(running)).replace(ours, "").replace(ours.encode().hex(), "").replace(f"{urlsplit(ours).netloc}/log", "")
    )
    assert ada.user_id in stored
    for secret in looked_for:
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_unsigned_identity_headers(http: httpx.AsyncClient, admin: Person) -> None:
    claimed = {
        "X-User-Id": admin.user_id, "X-Forwarded-User": admin.email, "Remote-User": admin.email, "X-Auth-Request-Email": admin.email,
        "X-Minos-User": admin.user_id, "X-Roles": "admin",
    }  # fmt: skip
    assert (await http.get("/api/v1/me", headers=claimed)).status_code == 401
    ada = await register(http)
    answer = await http.get("/api/v1/me", headers=claimed | ada.bearer)
    assert (answer.json()["user_id"], answer.json()["roles"]) == (ada.user_id, ["user"])


@pytest.mark.timeout(30)
async def test_health_that_is_green_while_start_up_failed(own_folder: Path) -> None:
    (port,) = free_ports(1)
    environment = {
        "MINOS_DATABASE_URL": "postgresql://minos_app:x@127.0.0.1:1/minos", "MINOS_MASTER_KEY": "A" * 43 + "=", "MINOS_PORT": str(port),
        "MINOS_METRICS_PORT": "0", "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    with (own_folder / "serve.log").open("ab") as output:
        serving = spawn([*minos(), "serve"], cwd=own_folder, output=output, env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            until = time.monotonic() + 20
            while True:
                try:
                    live = await http.get("/health/live")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < until
                    await asyncio.sleep(0.05)
            assert live.status_code == 200
            assert (await http.get("/health/ready")).status_code == 503
            assert (await http.get("/health/startup")).status_code == 503
            refused = await http.get("/api/v1/me")
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    finally:
        await stop(serving)


async def test_rate_limits_walked_round_by_a_made_up_header(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    for number in range(16):  # the first ten are for the network that she signed in from
        pretended = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        wrong = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": "wrong " * 3}, headers=pretended)
        assert wrong.json()["code"] == "invalid_credentials"
    right = {"email": ada.email, "password": PASSWORD}
    locked = await http.post("/api/v1/auth/login", json=right, headers={"X-Forwarded-For": "198.51.100.1"})
    assert (locked.status_code, locked.json()["code"]) == (401, "invalid_credentials")
    known = await http.post("/api/v1/auth/login", json=right | {"device_token": ada.tokens["device_token"]})
    assert known.status_code == 200, "a stranger's guesses lock the owner's own device out"


async def test_stale_role_after_demotion(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    await admin.ask("PUT", f"/users/{ada.user_id}/roles/admin")
    ada = await ada.sign_in()
    assert (await ada.get("/users")).status_code == 200
    await admin.ask("DELETE", f"/users/{ada.user_id}/roles/admin")
    assert (await ada.get("/users")).status_code == 403
    assert "admin" not in (await ada.get("/auth/session")).json()["roles"]


async def test_checks_that_write_a_row_per_call(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    await sequenced(running)
    before = await rows(running)
    for _ in range(20):
        await ada.get("/auth/session")
        await ada.get("/me")
        await ada.ask("POST", "/permissions/check", {"permission": "a.b"})
        await http.get("/api/v1/auth/session", headers={"Authorization": "Bearer nonsense"})
        await http.post("/api/v1/auth/refresh", json={"refresh_token": "mrt_nonsense"})
    await sequenced(running)
    assert await rows(running) == before


async def test_get_links_that_change_state(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    document = (await http.get("/openapi.json")).json()
    ada = await register(http)
    await sequenced(running)
    before = await rows(running)
    for path, item in document["paths"].items():
        if "get" in item and not path.endswith(RECORDED):
            known = {"user_id": ada.user_id, "role": "admin", "session_id": ada.session_id, "audience": "orders"}
            filled = path.format_map(defaultdict(lambda: NOBODYS, known))
            async with http.stream("GET", filled, params=ASKED.get(path, {}), headers=admin.bearer) as answer:  # one of them never ends
                wanted = ANSWERED.get(path, 404 if NOBODYS in filled else 200)
                assert answer.status_code == wanted, path
    await sequenced(running)
    assert await rows(running) == before


async def test_events_emitted_after_the_fact(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    connection = await asyncpg.connect(running.database_url)
    try:
        for _ in range(10):
            ada = await register(http)
            kinds = {row["type"] for row in await connection.fetch("SELECT type FROM events WHERE stream = $1", f"user-{ada.user_id}")}
            assert {"user.registered.v1", "user.password_set.v1"} <= kinds
    finally:
        await connection.close()
