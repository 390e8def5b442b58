"""Faults that services of this kind are known for, each named, each shown not to be here."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import jwt
import pytest

from adapters.children import spawn, stop
from adapters.postgres_roles import kept_passwords
from bench.running import Running, free_ports, minos
from tests.e2e.people import PASSWORD, Person, address, register

TESTS = Path(__file__).parents[1]


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(token: str, *, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, key: bytes | None = None) -> str:
    """Give the token with other words in it, under its old signature, or an HMAC with `key`."""
    head, body, signature = token.split(".")
    was_head, was_body = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    head = text(json.dumps(was_head | (header or {})).encode()) if header else head
    body = text(json.dumps(was_body | claims).encode()) if claims else body
    signature = text(hmac.digest(key, f"{head}.{body}".encode(), hashlib.sha256)) if key is not None else signature
    return f"{head}.{body}.{signature}"


async def accepted(http: httpx.AsyncClient, token: str) -> bool:
    answers = [await http.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}) for path in ("/me", "/auth/session")]
    assert {answer.status_code for answer in answers} <= {200, 401}
    return any(answer.status_code == 200 for answer in answers)


async def test_shared_secret_signing(http: httpx.AsyncClient, admin: Person) -> None:
    keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kty"] for key in keys} <= {"EC", "RSA", "OKP"}
    assert not any({"d", "k", "p", "q"} & key.keys() for key in keys)
    token = admin.tokens["access_token"]
    public = jwt.PyJWK.from_dict(keys[0]).key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    secrets_to_try = [public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo) for encoding in (Encoding.PEM, Encoding.DER)]
    for secret in [*secrets_to_try, json.dumps(keys[0]).encode(), b"", b"secret"]:
        assert not await accepted(http, forged(token, header={"alg": "HS256"}, key=secret))
    assert await accepted(http, token)


async def test_unchecked_algorithm_and_header_keys(http: httpx.AsyncClient, admin: Person) -> None:
    token = admin.tokens["access_token"]
    head, body, _ = token.split(".")
    assert not await accepted(http, f"{forged(token, header={'alg': 'none'}).rpartition('.')[0]}.")
    assert not await accepted(http, f"{head}.{body}.")
    for header in (
        {"jku": "https://evil.example/jwks"},
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"x5u": "https://evil.example"},
        {"crit": ["x"]},
    ):
        assert not await accepted(http, forged(token, header=header))


async def test_unchecked_token_type(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    assert not await accepted(http, forged(ada.tokens["access_token"], header={"typ": "JWT"}))
    assert not await accepted(http, ada.tokens["refresh_token"])
    assert not await accepted(http, ada.tokens["device_token"])
    for wrong in (ada.tokens["access_token"], ada.tokens["device_token"]):
        assert (await ada.refresh(wrong)).status_code in {401, 422}


async def test_missing_issuer_or_audience(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    claims = jwt.decode(admin.tokens["access_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (running.url, "minos")
    for changed in ({"iss": "https://other.example"}, {"aud": "orders"}, {"exp": claims["exp"] + 9_999}, {"sub": secrets.token_hex(16)}):
        assert not await accepted(http, forged(admin.tokens["access_token"], claims=changed))


async def test_role_chosen_at_registration(http: httpx.AsyncClient, admin: Person) -> None:
    for chosen in ({"roles": ["admin"]}, {"role": "admin"}, {"is_admin": True}, {"status": "active"}, {"user_id": admin.user_id}):
        answer = await http.post("/api/v1/auth/register", json={"email": address(), "password": PASSWORD} | chosen)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    ada = await register(http)
    assert (await ada.ask("PATCH", "/me", {"roles": ["admin"]})).status_code == 422
    assert (await ada.get("/me")).json()["roles"] == ["user"]


async def test_free_text_audience(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    for audience in ("nobody-registered-this", "https://orders.example"):
        answer = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD, "audience": audience})
        assert answer.status_code in {403, 422}
        assert (await ada.refresh(audience=audience)).status_code in {403, 422}


async def test_downstream_token_that_is_also_good_at_the_issuer(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await admin.sign_in(audience="orders")
    for method, path in (("GET", "/me"), ("GET", "/users"), ("POST", "/permissions/check"), ("DELETE", "/me/sessions"), ("POST", "/roles")):
        assert (await ada.ask(method, path, {} if method == "POST" else None)).status_code == 401


async def test_open_role_endpoint(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    wish = {"name": "mine", "permissions": ["*"]}
    assert (await http.post("/api/v1/roles", json=wish)).status_code == 401
    assert (await ada.ask("POST", "/roles", wish)).status_code == 403
    assert (await ada.ask("PUT", f"/users/{ada.user_id}/roles/admin")).status_code == 403


async def test_logout_that_revokes_nothing(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    assert (await ada.ask("POST", "/auth/logout", {})).status_code == 204
    assert not await accepted(http, ada.tokens["access_token"])
    assert (await ada.refresh()).status_code == 401


async def test_year_long_bearers_of_administrators(admin: Person) -> None:
    claims = jwt.decode(admin.tokens["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 300


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
        assert (await http.get(url)).status_code == 200


def test_tests_against_mocks() -> None:
    for path in TESTS.rglob("*.py"):
        if path != Path(__file__):
            assert "mock" not in {
                word.strip(".,()") for line in path.read_text().splitlines() if "import" in line for word in line.split()
            }, path


async def test_secrets_in_query_strings(http: httpx.AsyncClient, admin: Person) -> None:
    token = admin.tokens["access_token"]
    for name in ("access_token", "token", "authorization", "api_key"):
        assert (await http.get(f"/api/v1/me?{name}={token}")).status_code in {401, 422}


async def test_secrets_in_clear_text_stores(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http, name="Countess of Lovelace", username="countess.of.l")
    await ada.refresh()
    looked_for = [
        ada.email, PASSWORD, "Countess of Lovelace", "countess.of.l", ada.tokens["access_token"], ada.tokens["refresh_token"],
        ada.tokens["refresh_token"].rpartition(".")[2], running.bootstrap_code, "127.0.0.1",
    ]  # fmt: skip
    stored = await everything_stored(running)
    assert ada.user_id in stored
    for secret in looked_for:
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def everything_stored(running: Running) -> str:
    """Give all rows of all tables as text, bytes in hexadecimal, as a thief of a backup reads them."""
    passwords = kept_passwords(running.data / "postgres" / "passwords.json")
    url = running.database_url.replace("minos_app", "postgres", 1).replace(passwords.app, passwords.superuser, 1)
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert len(tables) > 15
        stored = [await connection.fetch(f"SELECT t::text FROM {table[0]} t") for table in tables]
        return "\n".join(row[0] for rows in stored for row in rows)
    finally:
        await connection.close()


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
    for number in range(6):
        pretended = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        wrong = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": "wrong " * 3}, headers=pretended)
        assert wrong.json()["code"] == "invalid_credentials"
    right = {"email": ada.email, "password": PASSWORD}
    locked = await http.post("/api/v1/auth/login", json=right, headers={"X-Forwarded-For": "198.51.100.1"})
    assert (locked.status_code, locked.json()["code"]) == (401, "invalid_credentials")
    known = await http.post("/api/v1/auth/login", json=right | {"device_token": ada.tokens["device_token"]})
    assert known.status_code == 200, "a stranger's guesses lock the owner's own device out"


async def test_single_use_tokens_that_replay(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    first = ada.tokens["refresh_token"]
    await ada.refresh()
    await ada.refresh()
    assert (await ada.refresh(first)).status_code == 401


async def test_refresh_reuse_undetected(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    stolen = ada.tokens["refresh_token"]
    thief = Person(http, ada.email, tokens=dict(ada.tokens))
    await thief.refresh()
    await thief.refresh()
    assert (await ada.refresh(stolen)).json()["code"] == "refresh_token_reused"
    assert not await accepted(http, thief.tokens["access_token"])
    assert (await thief.refresh()).status_code == 401


async def test_parallel_refresh_that_signs_the_user_out(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    answers = await asyncio.gather(*(ada.refresh(ada.tokens["refresh_token"]) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    ada.tokens = answers[-1].json()
    assert (await ada.refresh()).status_code == 200


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
    await sequenced(running)
    before = await rows(running)
    for path, item in document["paths"].items():
        if "get" in item:
            filled = path.replace("{user_id}", admin.user_id).replace("{role}", "admin").replace("{session_id}", admin.session_id)
            answer = await http.get(filled, headers=admin.bearer)
            assert answer.status_code == 200, path
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


async def sequenced(running: Running) -> None:
    connection = await asyncpg.connect(running.database_url)
    try:
        async with asyncio.timeout(10):
            while not await connection.fetchval(
                "SELECT (SELECT size FROM log_head) = (SELECT count(*) FROM events)"
                " AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < (SELECT size FROM log_head))"
            ):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def rows(running: Running) -> dict[str, int]:
    connection = await asyncpg.connect(running.database_url)
    try:
        names = ("events", "heads", "claim_index", "command_results", "sign_in_attempts", "sign_in_guard", "vault.subject_keys")
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names}
    finally:
        await connection.close()
