"""The SDK's example services, served for real, against a whole authority and its NATS."""

import asyncio
import importlib.util
import json
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
import websockets

from bench.running import Running, free_ports
from docs.console.authority import ROOT
from minos_sdk import MinosClient, TokenPair
from tests.e2e.people import PASSWORD, Person, register

EXAMPLES = ROOT / "sdk" / "python" / "examples"
SIGNALS = ["minos.signals.access", "minos.signals.roles.orders"]


@dataclass(frozen=True, slots=True)
class Service:
    """An example that runs. `account`: its service account's client id."""

    http: httpx.AsyncClient
    port: int
    account: str

    async def get(self, path: str, who: Person | str, **headers: str) -> httpx.Response:
        token = who if isinstance(who, str) else who.tokens["access_token"]
        return await self.http.get(path, headers={"authorization": f"Bearer {token}", **headers})

    async def refused(self, path: str, who: Person) -> str:
        """Wait until a person is refused, and give the code."""
        async with asyncio.timeout(10):
            while (answer := await self.get(path, who)).status_code == 200:
                await asyncio.sleep(0)
        return str(answer.json()["code"])


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.service()


@pytest.fixture(scope="module")
async def environment(running: Running, admin: Person) -> AsyncIterator[dict[str, str]]:
    """The service account of the example, and where everything is."""
    wanted = {
        "name": "Orders", "audiences": ["orders", "nats", "minos"],
        "permissions": [*SIGNALS, "minos.actions.consume"],
    }  # fmt: skip
    made = await admin.ask("POST", "/service-accounts", wanted)
    assert made.status_code == 201, made.text
    given = {
        "AUTH_URL": running.url, "AUTH_CLIENT_ID": made.json()["client_id"], "AUTH_CLIENT_SECRET": made.json()["client_secret"],
        "NATS_URL": running.nats.url,
    }  # fmt: skip
    rule = {"verifiers": [given["AUTH_CLIENT_ID"]], "max_age": 300}
    assert (await admin.ask("PUT", "/audiences/orders/actions/refund", rule)).status_code == 204
    role = {"name": "clerk", "permissions": ["orders.read"]}
    assert (await admin.ask("POST", "/roles", role)).status_code in {201, 409}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        yield given


async def served(name: str, environment: dict[str, str]) -> AsyncIterator[Service]:
    [port] = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(example(name), port=port, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http, asyncio.timeout(60):
        while not server.started:
            assert not serving.done()
            await asyncio.sleep(0.01)
        yield Service(http, port, environment["AUTH_CLIENT_ID"])
    server.should_exit = True
    await serving


@pytest.fixture(scope="module")
async def orders(environment: dict[str, str]) -> AsyncIterator[Service]:
    async for service in served("orders_fastapi", environment):
        yield service


async def clerk(http: httpx.AsyncClient, admin: Person) -> Person:
    """Sign somebody in to the orders who may read them."""
    ada = await register(http)
    assert (await admin.ask("PUT", f"/users/{ada.user_id}/roles/clerk")).status_code == 204
    return await ada.sign_in(audience="orders")


async def test_a_service_is_ready_when_it_knows_what_was_revoked(orders: Service) -> None:
    assert (await orders.http.get("/ready")).text == '"fresh"'


async def test_people_with_the_permission_come_in_and_others_do_not(orders: Service, http: httpx.AsyncClient, admin: Person) -> None:
    ada, eve = await clerk(http, admin), await (await register(http)).sign_in(audience="orders")
    assert (await orders.get("/orders", ada)).json()["1"] == "a kettle"
    assert (await orders.get("/me", eve)).json() == {"principal": "user", "subject": eve.user_id, "roles": ["user"]}
    answer = await orders.get("/orders", eve)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (await orders.http.get("/orders")).headers["www-authenticate"] == "Bearer"


async def test_a_session_that_is_revoked_is_refused_over_nats(orders: Service, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await clerk(http, admin)
    other = await ada.sign_in(audience="orders")
    assert (await orders.get("/orders", ada)).status_code == 200
    await ada.ask("POST", "/auth/logout", {})
    assert await orders.refused("/orders", ada) == "token_revoked"
    assert (await orders.get("/orders", other)).status_code == 200


async def test_a_suspended_person_is_refused_everywhere_over_nats(orders: Service, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await clerk(http, admin)
    other = await ada.sign_in(audience="orders")
    for each in (ada, other):
        assert (await orders.get("/orders", each)).status_code == 200
    await admin.ask("POST", f"/users/{ada.user_id}/suspend", {"reason": "administrative"})
    for each in (ada, other):
        assert await orders.refused("/orders", each) == "token_revoked"


async def test_a_lost_role_and_what_a_role_no_longer_gives_act_at_once(orders: Service, http: httpx.AsyncClient, admin: Person) -> None:
    role = f"reader-{secrets.token_hex(4)}"
    assert (await admin.ask("POST", "/roles", {"name": role, "permissions": ["orders.read"]})).status_code == 201
    people = [await register(http) for _ in range(2)]
    for each in people:
        assert (await admin.ask("PUT", f"/users/{each.user_id}/roles/{role}")).status_code == 204
    ada, bob = [await each.sign_in(audience="orders") for each in people]
    async with asyncio.timeout(10):
        while (await orders.get("/orders", ada)).status_code != 200:
            await asyncio.sleep(0)
    await admin.ask("DELETE", f"/users/{ada.user_id}/roles/{role}")
    assert await orders.refused("/orders", ada) == "permission_denied"
    assert (await orders.get("/orders", bob)).status_code == 200
    assert (await admin.ask("PUT", f"/roles/{role}/permissions", {"permissions": ["stock.read"]})).status_code < 300
    assert await orders.refused("/orders", bob) == "permission_denied"


async def test_an_open_websocket_ends_with_its_session(orders: Service, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await clerk(http, admin)
    headers = {"Authorization": f"Bearer {ada.tokens['access_token']}"}
    async with websockets.connect(f"ws://127.0.0.1:{orders.port}/live", additional_headers=headers) as socket:
        assert json.loads(await socket.recv())["1"] == "a kettle"
        await ada.ask("POST", "/auth/logout", {})
        async with asyncio.timeout(10):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (3000, "token_revoked")


async def test_a_websocket_without_a_credential_gets_the_whole_answer(orders: Service) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"ws://127.0.0.1:{orders.port}/live")
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"")["code"] == "authentication_required"


async def test_api_keys_come_in_until_they_are_revoked(orders: Service, admin: Person) -> None:
    wanted = {"client_id": orders.account, "name": "key", "audience": "orders", "permissions": []}
    key = (await admin.ask("POST", "/api-keys", wanted)).json()
    answer = await orders.http.get("/me", headers={"x-api-key": key["api_key"]})
    assert (answer.status_code, answer.json()["principal"]) == (200, "api_key"), answer.text
    await admin.ask("DELETE", f"/api-keys/{key['key_id']}")
    async with asyncio.timeout(10):
        while (answer := await orders.http.get("/me", headers={"x-api-key": key["api_key"]})).status_code == 200:
            await asyncio.sleep(0)
    assert answer.json()["code"] == "invalid_token"


async def test_an_action_is_done_once_for_its_token(orders: Service, running: Running, http: httpx.AsyncClient) -> None:
    ada = await register(http)
    async with MinosClient(running.url, audience="orders") as client:
        assert isinstance(await client.login(email=ada.email, password=PASSWORD), TokenPair)
        headers = {"authorization": f"Bearer {await client.token()}"}
        assert (await orders.http.post("/orders/1/refund", headers=headers)).json()["code"] == "action_token_required"
        headers["x-action-token"] = await client.action_token("orders:refund", method="POST", path="/orders/1/refund")
        assert (await orders.http.post("/orders/2/refund", headers=headers)).json()["code"] == "action_token_invalid"
        assert (await orders.http.post("/orders/1/refund", headers=headers)).json() == {"refunded": 1}
        assert (await orders.http.post("/orders/1/refund", headers=headers)).json()["code"] == "action_token_used"


async def test_without_nats_a_revoked_session_is_refused_all_the_same(
    environment: dict[str, str], http: httpx.AsyncClient, admin: Person
) -> None:
    ada, eve = await clerk(http, admin), await (await register(http)).sign_in(audience="orders")
    async for service in served("orders_litestar", environment):
        assert (await service.http.get("/ready")).json() is True
        assert (await service.get("/orders", ada)).json()["1"] == "a kettle"
        assert (await service.get("/me", ada)).text == ada.user_id
        assert (await service.get("/orders", eve)).json()["code"] == "permission_denied"
        await ada.ask("POST", "/auth/logout", {})
        assert await service.refused("/orders", ada) == "token_revoked"


async def test_behind_a_gateway_its_signed_word_counts_and_the_token_does_not(
    environment: dict[str, str], running: Running, http: httpx.AsyncClient, admin: Person
) -> None:
    ada = await clerk(http, admin)
    checked = await ada.get("/auth/check?audience=orders")
    assert checked.status_code == 200, checked.text
    async for service in served("behind_gateway", environment):
        answer = await service.http.get("/orders", headers={"minos-identity": checked.headers["minos-identity"]})
        assert (answer.status_code, answer.json()) == (200, {"for": ada.user_id})
        assert (await service.get("/orders", ada)).status_code == 401
        assert (await service.http.get("/orders", headers={"minos-subject": ada.user_id})).status_code == 401
        assert (await service.http.get("/orders", headers={"minos-identity": ada.tokens["access_token"]})).status_code == 401
