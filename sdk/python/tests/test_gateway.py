"""Behind a gateway: its signed word counts, and nothing else does."""

import asyncio
import json
from typing import Any

import pytest

from minos_sdk.admission import caller_of
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.errors import ExpiredToken, InvalidToken
from minos_sdk.gateway import GatewayVerifier
from minos_sdk.testing import Authority


def gateway_of(minos: Authority) -> GatewayVerifier:
    return GatewayVerifier(issuer=minos.issuer, audience=minos.audience, keys=minos.internal_keys, clock=minos.clock)


async def test_who_a_gateway_let_through_is_known(minos_authority: Authority) -> None:
    token = minos_authority.tokens.internal("ada", roles=["clerk"], permissions=["orders.read"])
    who = await gateway_of(minos_authority).verify(token)
    assert (who.principal, who.subject, who.user_id) == ("user", "ada", "ada")
    assert who.has_permission("orders.read")
    assert who.roles == {"clerk"}
    assert who.session_id is not None


async def test_keys_and_services_are_known_too(minos_authority: Authority) -> None:
    nobodys: dict[str, Any] = {"sid": None, "auth_time": None, "acr": None, "amr": None}
    tokens, gateway = minos_authority.tokens, gateway_of(minos_authority)
    key = await gateway.verify(tokens.internal("ada", principal="api_key", key_id="k1", client_id=None, permissions=["a.b"], **nobodys))
    assert (key.principal, key.user_id, key.client_id, key.key_id, key.scopes) == ("api_key", "ada", None, "k1", {"a.b"})
    service = await gateway.verify(tokens.internal("client_x", principal="service", client_id="client_x", **nobodys))
    assert (service.principal, service.user_id, service.client_id) == ("service", None, "client_x")


WRONG: dict[str, dict[str, Any]] = {
    "for another audience": {"aud": "orders"},
    "of another issuer": {"iss": "https://evil.example"},
    "for hours": {"exp": 4_000_000_000},
    "of nobody": {"sub": None},
    "of another kind": {"principal": "admin"},
    "a person without a session": {"sid": None},
    "a key without its id": {"principal": "api_key"},
    "without an end": {"exp": None},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
async def test_attack_word_of_a_gateway_that_was_meant_for_something_else(minos_authority: Authority, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        await gateway_of(minos_authority).verify(minos_authority.tokens.internal("ada", **claims))


async def test_attack_access_token_shown_past_the_gateway_as_its_word(minos_authority: Authority) -> None:
    tokens, gateway = minos_authority.tokens, gateway_of(minos_authority)
    said = tokens.user_claims("ada", ttl=60, permissions=["*"])
    access_token = tokens.user("ada")
    right_type_wrong_key = tokens.key.signed(said, typ="minos-internal+jwt")
    right_key_wrong_types = [tokens.internal_key.signed(said, typ=typ) for typ in ("at+jwt", "secevent+jwt", "JWT")]
    for token in (access_token, right_type_wrong_key, *right_key_wrong_types, ""):
        with pytest.raises(InvalidToken):
            await gateway.verify(token)
    with pytest.raises(InvalidToken):
        await minos_authority.verifier().verify(tokens.internal("ada"))


async def test_its_word_lasts_a_minute(minos_authority: Authority) -> None:
    token = minos_authority.tokens.internal("ada")
    gateway = gateway_of(minos_authority)
    minos_authority.clock.advance(59)
    await gateway.verify(token)
    minos_authority.clock.advance(6)
    with pytest.raises(ExpiredToken):
        await gateway.verify(token)


async def whoami(scope: Any, receive: Any, send: Any) -> None:
    identity = caller_of(scope).identity
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(None if identity is None else identity.subject).encode()})


async def test_attack_identity_in_header_fields_that_nobody_signed(minos_authority: Authority) -> None:
    app = MinosMiddleware(whoami, gateway_of(minos_authority), by_gateway=True)
    word = (b"minos-identity", minos_authority.tokens.internal("ada").encode())
    token = (b"authorization", f"Bearer {minos_authority.tokens.user('eve')}".encode())
    assert await ask(app, word, token) == (200, "ada")
    assert (await ask(app, token))[0] == 401
    assert (await ask(app, (b"minos-subject", b"eve"), (b"minos-roles", b"admin")))[0] == 401
    for other in (b"minos-identity", b"minos_identity"):
        assert (await ask(app, word, (other, minos_authority.tokens.internal("eve").encode())))[0] == 400


async def ask(app: Any, *headers: tuple[bytes, bytes]) -> tuple[int, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": list(headers), "query_string": b""}
    await app(scope, asyncio.Queue[Any]().get, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
