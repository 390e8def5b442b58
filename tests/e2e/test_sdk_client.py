"""The SDK's clients against a whole authority."""

import asyncio
import secrets
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bench.running import Running
from minos_sdk import REFUSE, AcceptUntil, Blind, Introspect, PollingFeed, Revoked, Verifier
from minos_sdk.action_tokens import ActionTokens
from minos_sdk.answers_of_minos import TokenPair
from minos_sdk.api_keys import ApiKeys
from minos_sdk.call_errors import CallRefused, SignedOut
from minos_sdk.client import MinosClient
from minos_sdk.client_credentials import ClientKey, ClientSecret
from minos_sdk.errors import InvalidToken, MinosError
from minos_sdk.identity import Identity
from minos_sdk.introspection import Introspection
from minos_sdk.service_tokens import ServiceTokens
from minos_sdk.sync_client import SyncMinosClient
from tests.e2e.people import PASSWORD, Person, register


async def account(admin: Person, *audiences: str, permissions: list[str]) -> ClientSecret:
    """Make a service account, and say how it proves itself."""
    wanted = {"name": f"robot {secrets.token_hex(4)}", "audiences": audiences, "permissions": permissions}
    answer = await admin.ask("POST", "/service-accounts", wanted)
    assert answer.status_code == 201, answer.text
    return ClientSecret(answer.json()["client_id"], answer.json()["client_secret"])


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


async def test_a_person_signs_in_goes_on_and_out(running: Running, http: httpx.AsyncClient) -> None:
    ada, told = await register(http), list[TokenPair | None]()
    async with MinosClient(running.url, on_tokens=told.append) as client:
        assert isinstance(await client.login(email=ada.email, password=PASSWORD, device_name="laptop"), TokenPair)
        assert (await client.request("GET", "/api/v1/me"))["email"] == ada.email
        first = client.tokens
        pairs = await asyncio.gather(*(client.refresh() for _ in range(5)))
        assert len({pair.refresh_token for pair in pairs}) == 1
        assert first is not None
        assert pairs[0].refresh_token != first.refresh_token
        async with asyncio.timeout(10):  # a list may be a moment behind
            while {each["session_id"] async for each in client.pages("/api/v1/me/sessions", limit=1)} != {ada.session_id, first.session_id}:
                await asyncio.sleep(0.05)
        await client.logout()
        with pytest.raises(SignedOut):
            await client.request("GET", "/api/v1/me")
    assert told[-1] is None
    assert not await Person(http, ada.email, tokens={"access_token": pairs[0].access_token}).is_signed_in()


async def test_a_session_ended_elsewhere_signs_the_client_out(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    async with MinosClient(running.url) as client:
        await client.login(email=ada.email, password=PASSWORD)
        await ada.ask("DELETE", "/me/sessions")
        with pytest.raises(SignedOut):
            await client.request("GET", "/api/v1/me")


async def test_wrong_passwords_and_rights_are_refusals_with_codes(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    async with MinosClient(running.url) as client:
        with pytest.raises(CallRefused) as refused:
            await client.login(email=ada.email, password="not her pass phrase")
        assert refused.value.code == "invalid_credentials"
        await client.login(email=ada.email, password=PASSWORD)
        with pytest.raises(CallRefused) as refused:
            await client.request("POST", "/api/v1/roles", json={"name": "x", "permissions": []})
        assert (refused.value.status, refused.value.code) == (403, "permission_denied")


async def test_permissions_are_checked_as_they_are_now(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada, role = await register(http), f"editor-{secrets.token_hex(4)}"
    await admin.ask("POST", "/roles", {"name": role, "permissions": ["articles.*"]})
    async with MinosClient(running.url) as client:
        await client.login(email=ada.email, password=PASSWORD)
        assert not await client.check_permission("articles.publish")
        await admin.ask("PUT", f"/users/{ada.user_id}/roles/{role}")
        assert (await client.check_permission("articles.publish")).role == role
        checks = [{"permission": "articles.read"}, {"permission": "stock.read"}]
        assert [each.allowed for each in await client.check_permissions(checks)] == [True, False]


async def test_the_blocking_client_does_the_same(running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)

    def use() -> None:
        with SyncMinosClient(running.url) as client:
            client.login(email=ada.email, password=PASSWORD)
            assert client.request("GET", "/api/v1/me")["email"] == ada.email
            while len(list(client.pages("/api/v1/me/sessions", limit=1))) != 2:  # a list may be a moment behind
                time.sleep(0.05)
            assert not client.check_permission("articles.publish")
            client.refresh()
            client.logout()
            assert client.tokens is None

    await asyncio.to_thread(use)


async def test_a_service_gets_tokens_by_secret_and_by_key(running: Running, admin: Person) -> None:
    proved = await account(admin, "orders", permissions=["orders.read"])
    async with ServiceTokens(running.url, proved) as tokens:
        assert claims_of(await tokens.token("orders"))["scope"] == "orders.read"
        assert await tokens.token("orders") == await tokens.token("orders")
        with pytest.raises(CallRefused) as refused:
            await tokens.token("reports")
        assert refused.value.code == "invalid_target"
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True)
    answer = await admin.ask("POST", f"/service-accounts/{proved.client_id}/keys", {"algorithm": "ES256", "public": jwk})
    assert answer.status_code == 201, answer.text
    async with ServiceTokens(running.url, ClientKey(proved.client_id, key)) as tokens:
        assert claims_of(await tokens.token("orders"))["sub"] == proved.client_id


async def test_api_keys_are_judged_for_their_audience(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    proved = await account(admin, "orders", permissions=[])
    owner = await account(admin, "orders", "reports", permissions=["orders.read"])
    made = {}
    for audience in ("orders", "reports"):
        wanted = {"client_id": owner.client_id, "name": "key", "audience": audience, "permissions": []}
        if audience == "orders":
            wanted["permissions"] = ["orders.read"]
        answer = await admin.ask("POST", "/api-keys", wanted)
        assert answer.status_code == 201, answer.text
        made[audience] = answer.json()
    async with ApiKeys(running.url, "orders", proved) as keys:
        who = await keys.identify(made["orders"]["api_key"])
        assert (who.principal, who.client_id, who.key_id) == ("api_key", owner.client_id, made["orders"]["key_id"])
        assert who.has_permission("orders.read")
        with pytest.raises(InvalidToken):
            await keys.identify(made["reports"]["api_key"])
        await admin.ask("DELETE", f"/api-keys/{made['orders']['key_id']}")
        with pytest.raises(InvalidToken):
            await keys.identify(made["orders"]["api_key"])


async def test_a_token_may_be_asked_about_by_its_audience(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await (await register(http)).sign_in(audience="orders")
    async with Introspection(running.url, await account(admin, "orders", permissions=[])) as minos:
        assert (await minos.introspect(ada.tokens["access_token"]))["sub"] == ada.user_id
        await ada.ask("POST", "/auth/logout", {})
        assert await minos.introspect(ada.tokens["access_token"]) == {"active": False}


class LaterOn:
    """The clocks of this machine, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


async def test_a_blind_service_asks_minos_where_its_policy_says_so(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await (await register(http)).sign_in(audience="orders")
    token, clock = ada.tokens["access_token"], LaterOn()
    account_of_service = await account(admin, "orders", "minos", permissions=["minos.signals.access", "minos.signals.roles.orders"])
    async with (
        ServiceTokens(running.url, account_of_service) as own,
        Introspection(running.url, account_of_service) as minos,
        Verifier(issuer=running.url, audience="orders", feed=PollingFeed(own, every=1_000), clock=clock) as verifier,
    ):
        assert (await verifier.verify(token, on_blind=REFUSE)).user_id == ada.user_id
        clock.ahead = 10.0
        with pytest.raises(Blind):
            await verifier.verify(token, on_blind=REFUSE)
        assert (await verifier.verify(token, on_blind=Introspect(minos))).user_id == ada.user_id
        await ada.ask("POST", "/auth/logout", {})
        assert (await verifier.verify(token, on_blind=AcceptUntil(60))).user_id == ada.user_id
        with pytest.raises(Revoked):
            await verifier.verify(token, on_blind=Introspect(minos))


async def test_an_action_token_is_used_up_once_for_the_request_it_is_for(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    shop = await account(admin, "orders", "minos", permissions=["minos.actions.consume"])
    rule = {"verifiers": [shop.client_id], "max_age": 300}
    assert (await admin.ask("PUT", "/audiences/orders/actions/repay", rule)).status_code == 204
    ada = await register(http)
    async with (
        MinosClient(running.url, audience="orders") as client,
        ServiceTokens(running.url, shop) as own,
        ActionTokens(running.url, own) as actions,
    ):
        pair = await client.login(email=ada.email, password=PASSWORD)
        assert isinstance(pair, TokenPair)
        who = Identity(principal="user", subject=pair.user_id, user_id=pair.user_id, session_id=pair.session_id, audience="orders")
        asked: dict[str, Any] = {"method": "POST", "path": "/repayments?order=7", "body": b'{"amount": 5}'}
        token = await client.action_token("orders:repay", **asked)
        others: list[dict[str, Any]] = [{"method": "PUT"}, {"path": "/repayments"}, {"body": b'{"amount": 500}'}, {"body": None}]
        for other in others:
            with pytest.raises(MinosError) as refused:
                await actions.consume(token, "orders:repay", who, **(asked | other))
            assert refused.value.code == "action_token_invalid"
        assert (await actions.consume(token, "orders:repay", who, **asked))["user_id"] == ada.user_id
        with pytest.raises(MinosError) as refused:
            await actions.consume(token, "orders:repay", who, **asked)
        assert (refused.value.status, refused.value.code) == (409, "action_token_used")
