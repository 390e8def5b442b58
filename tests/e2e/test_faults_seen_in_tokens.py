"""Faults with tokens that services of this kind are known for, each named, each shown not to be here."""

import asyncio
import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.settings_table import SETTINGS
from bench.running import Running
from tests.e2e.conftest import LIFE_S
from tests.e2e.people import PASSWORD, Person, register


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


async def test_logout_that_revokes_nothing(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    assert (await ada.ask("POST", "/auth/logout", {})).status_code == 204
    assert not await accepted(http, ada.tokens["access_token"])
    assert (await ada.refresh()).status_code == 401


async def test_year_long_bearers_of_administrators(admin: Person) -> None:
    claims = jwt.decode(admin.tokens["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == LIFE_S
    [life] = [setting for setting in SETTINGS if setting.field == "access_token_ttl"]
    assert (life.default, life.bounds) == ("300", (30, 3_600))


async def test_secrets_in_query_strings(http: httpx.AsyncClient, admin: Person) -> None:
    token = admin.tokens["access_token"]
    for name in ("access_token", "token", "authorization", "api_key"):
        assert (await http.get(f"/api/v1/me?{name}={token}")).status_code in {401, 422}


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
