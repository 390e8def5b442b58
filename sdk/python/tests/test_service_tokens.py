"""A service's own tokens, and how it proves itself."""

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from minos_sdk.call_errors import CallRefused, Unreachable
from minos_sdk.client_credentials import ASSERTION_TYPE, ClientKey, ClientSecret
from minos_sdk.service_tokens import ServiceTokens, SyncServiceTokens
from minos_sdk.steps import Retries

URL = "https://auth.example"
SECRET = ClientSecret("client_export", "mcs_se:cret+/=")
AT_ONCE = Retries(times=3, first_s=0.0, longest_s=0.0)


class Minos:
    """Gives tokens, numbered."""

    def __init__(self) -> None:
        self.given = 0
        self.life = 300.0
        self.answers: list[httpx.Response] = []
        self.seen: list[tuple[httpx.Request, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode(), strict_parsing=True).items()}
        self.seen.append((request, form))
        if self.answers:
            return self.answers.pop(0)
        self.given += 1
        told = {"access_token": f"at-{form['audience']}-{self.given}", "expires_in": self.life, "scope": "a b", "token_type": "Bearer"}
        return httpx.Response(200, json=told)


def tokens_of(minos: Minos, credentials: Any = SECRET, **more: Any) -> ServiceTokens:
    return ServiceTokens(URL, credentials, http=httpx.AsyncClient(transport=httpx.MockTransport(minos)), retries=AT_ONCE, **more)


async def test_a_token_is_asked_for_once_however_many_wait_and_apart_for_each_audience() -> None:
    minos = Minos()
    tokens = tokens_of(minos)
    got = await asyncio.gather(*(tokens.token(audience) for audience in ["shop", "nats"] * 10))
    assert set(got) == {"at-shop-1", "at-nats-2"}
    assert minos.given == 2


async def test_a_token_due_is_given_while_it_is_renewed_and_the_new_one_afterwards() -> None:
    minos = Minos()
    tokens = tokens_of(minos)
    await tokens.token("shop")
    held = tokens._of("shop")
    assert held.held is not None
    object.__setattr__(held.held, "due_at", 0.0)
    assert await tokens.token("shop") == "at-shop-1"
    await held._start()
    assert await tokens.token("shop") == "at-shop-2"


async def test_a_token_that_lasts_is_given_while_minos_is_away() -> None:
    minos = Minos()
    tokens = tokens_of(minos)
    await tokens.token("shop")
    held = tokens._of("shop")
    assert held.held is not None
    object.__setattr__(held.held, "due_at", 0.0)
    minos.answers = [httpx.Response(503)] * 3
    assert await tokens.token("shop") == "at-shop-1"
    with pytest.raises(Unreachable):
        await held._start()
    assert await tokens.token("shop") == "at-shop-1"
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(minos.seen) == 4, "after a failure it is left alone for a moment"
    object.__setattr__(held.held, "ends_at", 0.0)
    minos.answers = [httpx.Response(503)] * 3
    with pytest.raises(Unreachable):
        await tokens.token("shop")


async def test_a_secret_goes_into_the_header_form_encoded() -> None:
    minos = Minos()
    await tokens_of(minos, scope=["orders.read"]).token("shop")
    request, form = minos.seen[0]
    assert form == {"grant_type": "client_credentials", "audience": "shop", "scope": "orders.read"}
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"client_export:mcs_se%3Acret%2B%2F%3D")


async def test_each_try_is_proved_by_an_assertion_of_its_own() -> None:
    minos, key = Minos(), ec.generate_private_key(ec.SECP256R1())
    minos.answers = [httpx.Response(503)]
    await tokens_of(minos, ClientKey("client_export", key, kid="k1")).token("shop")
    forms = [form for _, form in minos.seen]
    asked: Any = {"require": ["exp", "jti", "iat"]}
    assertions = [form["client_assertion"] for form in forms]
    told = [jwt.decode(each, key.public_key(), algorithms=["ES256"], audience=URL, options=asked) for each in assertions]
    assert {claims["sub"] for claims in told} == {claims["iss"] for claims in told} == {"client_export"}
    assert len({claims["jti"] for claims in told}) == 2
    assert {form["client_assertion_type"] for form in forms} == {ASSERTION_TYPE}
    assert jwt.get_unverified_header(forms[0]["client_assertion"])["kid"] == "k1"
    assert all("authorization" not in request.headers for request, _ in minos.seen)


async def test_a_wrong_secret_is_said_and_shown_nowhere() -> None:
    minos = Minos()
    minos.answers = [httpx.Response(401, json={"error": "invalid_client", "error_description": "No."})]
    tokens = tokens_of(minos)
    with pytest.raises(CallRefused) as refused:
        await tokens.token("shop")
    assert refused.value.code == "invalid_client"
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    shown = " ".join([repr(SECRET), repr(tokens), repr(refused.value), repr(ClientKey("client_export", private))])
    assert "mcs_" not in shown
    assert "PRIVATE" not in shown


async def test_of_many_whose_token_was_refused_one_asks_for_another() -> None:
    minos = Minos()
    tokens = tokens_of(minos)
    old = await tokens.token("shop")
    assert await asyncio.gather(*(tokens.renewed("shop", instead_of=old) for _ in range(5))) == ["at-shop-2"] * 5
    assert await tokens.renewed("shop", instead_of=old) == "at-shop-2"
    assert minos.given == 2


def test_threads_get_one_token() -> None:
    minos = Minos()
    with SyncServiceTokens(URL, SECRET, http=httpx.Client(transport=httpx.MockTransport(minos)), retries=AT_ONCE) as tokens:
        assert [tokens.token("shop"), tokens.token("shop"), tokens.renewed("shop")] == ["at-shop-1", "at-shop-1", "at-shop-2"]
