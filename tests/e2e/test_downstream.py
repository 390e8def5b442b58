"""A service behind Minos that knows nothing of it but its address: it fetches the keys once and verifies offline."""

from typing import Any

import httpx
import jwt
import pytest
from litestar import Litestar, Request, get
from litestar.exceptions import NotAuthorizedException
from litestar.testing import AsyncTestClient

from bench.running import Running
from tests.e2e.people import PASSWORD, Person, register


class Orders:
    """What any service would write: the discovery document, its keys, and pyjwt."""

    def __init__(self, url: str) -> None:
        document = httpx.get(f"{url}/.well-known/openid-configuration").json()
        self.issuer = document["issuer"]
        self.keys = jwt.PyJWKSet.from_dict(httpx.get(document["jwks_uri"]).json())

    def claims(self, authorization: str) -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        header = jwt.get_unverified_header(token)
        if scheme != "Bearer" or header.get("typ") != "at+jwt":
            raise jwt.InvalidTokenError
        key = self.keys[header["kid"]]
        required = {"require": ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]}
        return jwt.decode(token, key, algorithms=["ES256"], audience="orders", issuer=self.issuer, leeway=30, options=required)  # type: ignore[arg-type]


def service(orders: Orders) -> Litestar:
    @get("/orders")
    async def list_orders(request: Request[Any, Any, Any]) -> dict[str, Any]:
        try:
            claims = orders.claims(request.headers.get("authorization", ""))
        except (jwt.PyJWTError, KeyError) as error:
            raise NotAuthorizedException from error
        return {"for": claims["sub"], "roles": claims["roles"]}

    return Litestar([list_orders], openapi_config=None)


@pytest.fixture
async def orders(running: Running):
    async with AsyncTestClient(service(Orders(running.url))) as client:
        yield client


async def test_service_takes_a_token_for_itself_without_asking_minos(orders: Any, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await (await register(http)).sign_in(audience="orders")
    answer = await orders.get("/orders", headers=ada.bearer)
    assert (answer.status_code, answer.json()) == (200, {"for": ada.user_id, "roles": ["user"]})


async def test_service_refuses_tokens_for_others_and_tampered_ones(orders: Any, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    for_reports = await ada.sign_in(audience="reports")
    for_orders = await ada.sign_in(audience="orders")
    token = for_orders.tokens["access_token"]
    head, claims, signature = token.split(".")
    bent = f"{head}.{claims}.{signature[:-4]}AAAA"
    refused = [ada.tokens["access_token"], for_reports.tokens["access_token"], for_orders.tokens["refresh_token"], bent, ""]
    for presented in refused:
        answer = await orders.get("/orders", headers={"Authorization": f"Bearer {presented}"})
        assert answer.status_code == 401


async def test_token_for_a_service_is_not_good_at_minos_but_can_be_asked_about(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await (await register(http)).sign_in(audience="orders")
    assert (await ada.get("/me")).status_code == 401
    assert (await ada.get("/auth/session")).status_code == 200
    assert (await ada.refresh(audience="reports")).status_code == 403
    assert (await ada.refresh()).status_code == 200
    assert jwt.decode(ada.tokens["access_token"], options={"verify_signature": False})["aud"] == "orders"
    assert (await ada.ask("POST", "/auth/logout", {})).status_code == 204
    assert not await ada.is_signed_in()


async def test_audience_nobody_registered_is_refused_at_login(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    answer = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD, "audience": "payroll"})
    assert (answer.status_code, answer.json()["code"]) == (403, "audience_not_allowed")


async def test_role_change_is_in_the_next_token_and_raises_its_version(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await (await register(http)).sign_in(audience="orders")
    before = jwt.decode(ada.tokens["access_token"], options={"verify_signature": False})
    await admin.ask("POST", "/roles", {"name": "packer", "permissions": ["orders.pack"]})
    await admin.ask("PUT", f"/users/{ada.user_id}/roles/packer")
    await ada.refresh()
    after = jwt.decode(ada.tokens["access_token"], options={"verify_signature": False})
    assert (before["roles"], set(after["roles"])) == (["user"], {"user", "packer"})
    assert after["roles_version"] > before["roles_version"]
    assert after["epoch"] == before["epoch"]
    assert not {"email", "name", "username"} & after.keys()


async def test_turned_key_signs_new_tokens_and_the_old_one_still_verifies(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    ahead = {key["kid"] for key in (await http.get("/.well-known/jwks.json")).json()["keys"]}
    old = jwt.get_unverified_header(ada.tokens["access_token"])["kid"]
    assert (await admin.ask("POST", "/signing-keys/rotate", {})).status_code == 200
    assert await ada.is_signed_in()
    new = jwt.get_unverified_header((await ada.sign_in()).tokens["access_token"])["kid"]
    assert new != old
    assert {new, old} <= ahead
