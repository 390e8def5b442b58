"""The token endpoint over HTTP: forms read strictly, errors in the shape of RFC 6749, service accounts made and turned by whoever may."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api.conftest import Person, Served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = {"grant_type": "client_credentials"}


@dataclass(frozen=True)
class Robot:
    client_id: str
    secret: str
    secret_id: str

    @property
    def basic(self) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(f'{self.client_id}:{self.secret}'.encode()).decode()}"}


async def robot(admin: Person, *permissions: str, audiences: tuple[str, ...] = ("orders",)) -> Robot:
    made = await admin.ask("POST", "/service-accounts", json={"name": "robot", "audiences": audiences, "permissions": permissions})
    assert made.status_code == 201, made.text
    said = made.json()
    return Robot(said["client_id"], said["client_secret"], said["secret_id"])


async def ask(served: Served, data: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    if isinstance(data, str):
        return await served.http.post("/oauth2/token", content=data, headers={**FORM, **(headers or {})})
    return await served.http.post("/oauth2/token", data=data, headers=headers)


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_basic_and_post_get_the_same(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read")
    for data, headers in ((GRANT, one.basic), ({**GRANT, "client_id": one.client_id, "client_secret": one.secret}, {})):
        answer = await ask(served, data, headers)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 300, "orders.read")
        assert answer.headers["cache-control"] == "no-store"


async def test_the_express_lane_answers_as_the_ordinary_route_does(served: Served, admin: Person) -> None:
    """Parameters in the address are for the ordinary route, which knows none: credentials never stand in an address."""
    one = await robot(admin, "orders.read")
    answer = await served.http.post("/oauth2/token?client_secret=x", data=GRANT, headers=one.basic)
    assert error(answer) == (400, "invalid_request")
    express = served.edge._express
    served.edge._express = {}
    try:
        ordinary = await ask(served, GRANT, one.basic)
        refused = await ask(served, {**GRANT, "client_id": one.client_id, "client_secret": "mcs_wrong"})
    finally:
        served.edge._express = express
    assert (ordinary.status_code, ordinary.json()["scope"]) == (200, "orders.read")
    assert (error(refused), refused.headers["content-type"]) == ((401, "invalid_client"), "application/json")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, (401, "invalid_client")),
        (GRANT, (401, "invalid_client")),
        ({**GRANT, "client_id": "client_nobody", "client_secret": "mcs_" + "0" * 49}, (401, "invalid_client")),
        ({**GRANT, "client_id": "../x", "client_secret": "y"}, (401, "invalid_client")),
        ({**GRANT, "unknown": "parameter"}, (400, "invalid_request")),
        ("grant_type=client_credentials&grant_type=client_credentials", (400, "invalid_request")),
        ("grant_type=client_credentials&scope=%ff", (400, "invalid_request")),
        ("&".join(f"a{n}=1" for n in range(40)), (400, "invalid_request")),
    ],
)
async def test_what_is_wrong_is_said_as_rfc_6749_says_it(served: Served, data: Any, expected: tuple[int, str]) -> None:
    answer = await ask(served, data)
    assert error(answer) == expected
    assert set(answer.json()) == {"error", "error_description"}
    assert (answer.status_code == 401) == answer.headers.get("www-authenticate", "").startswith("Basic ")


async def test_other_grants_scopes_and_targets_are_refused_by_name(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read")
    for more, expected in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "orders.write"}, "invalid_scope"),
        ({"scope": "orders.read  orders.read"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"scope": " ".join(f"orders.p{n}" for n in range(257))}, "invalid_scope"),
        ({"audience": "reports"}, "invalid_target"),
        ({"audience": "made up"}, "invalid_target"),
        ({"resource": "https://orders.example"}, "invalid_target"),
        ({"resource": "urn:minos:audience:orders", "audience": "reports"}, "invalid_target"),
    ):
        assert error(await ask(served, {**GRANT, **more}, one.basic)) == (400, expected)
    assert (await ask(served, {**GRANT, "resource": "urn:minos:audience:orders"}, one.basic)).status_code == 200


async def test_of_several_audiences_one_has_to_be_named(served: Served, admin: Person) -> None:
    one = await robot(admin, audiences=("orders", "minos"))
    refused = await ask(served, GRANT, one.basic)
    assert error(refused) == (400, "invalid_target")
    assert "name the one that the token is for" in refused.json()["error_description"]
    assert (await ask(served, {**GRANT, "audience": "minos"}, one.basic)).status_code == 200


async def test_two_ways_to_prove_oneself_at_once_are_refused(served: Served, admin: Person) -> None:
    one = await robot(admin)
    assert error(await ask(served, {**GRANT, "client_secret": one.secret}, one.basic)) == (400, "invalid_request")
    assert error(await ask(served, GRANT, {**one.basic, "X-API-Key": "mk_x"})) == (400, "invalid_request")


async def test_json_is_no_form_and_a_form_is_no_json(served: Served) -> None:
    answer = await served.http.post("/oauth2/token", json=GRANT)
    assert error(answer) == (415, "invalid_request")
    assert answer.headers["accept"] == "application/x-www-form-urlencoded"
    assert "application/x-www-form-urlencoded" in answer.json()["error_description"]
    login = await served.http.post("/api/v1/auth/login", data={"email": "a@example.org", "password": "x"})
    assert (login.status_code, login.json()["code"]) == (415, "unsupported_media_type")


async def test_a_token_for_a_service_is_refused_by_minos_and_by_every_other(served: Served, admin: Person) -> None:
    """A downstream token that is also good at the issuer: not here, whatever its service account may do."""
    one = await robot(admin, "*", audiences=("orders", "minos"))
    token = (await ask(served, {**GRANT, "audience": "orders"}, one.basic)).json()["access_token"]
    answer = await served.http.get("/api/v1/users", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    own = (await ask(served, {**GRANT, "audience": "minos"}, one.basic)).json()["access_token"]
    assert (await served.http.get("/api/v1/users", headers={"Authorization": f"Bearer {own}"})).status_code == 200


async def test_a_service_account_is_listed_changed_turned_and_ended(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read", "orders.write")
    await ask(served, GRANT, one.basic)
    path = f"/service-accounts/{one.client_id}"
    await served.project()
    listed = (await admin.ask("GET", "/service-accounts?limit=200")).json()["data"]
    [row] = [r for r in listed if r["client_id"] == one.client_id]
    assert (row["name"], row["owner_id"], row["enabled"]) == ("robot", admin.user_id, True)
    assert row["last_used_at"] is not None
    assert one.secret not in str(listed)
    changed = await admin.ask("PATCH", path, json={"permissions": ["orders.read"], "name": "reader"})
    assert (changed.json()["name"], changed.json()["permissions"]) == ("reader", ["orders.read"])
    turned = await admin.ask("POST", f"{path}/secrets", json={"overlap": 60})
    assert turned.status_code == 201
    assert len((await admin.ask("GET", path)).json()["secrets"]) == 2
    assert (await admin.ask("DELETE", f"{path}/secrets/{one.secret_id}")).status_code == 204
    assert error(await ask(served, GRANT, one.basic)) == (401, "invalid_client")
    again = Robot(one.client_id, turned.json()["client_secret"], "")
    assert (await admin.ask("POST", f"{path}/disable", json={"reason": "compromised"})).status_code == 204
    assert error(await ask(served, GRANT, again.basic)) == (401, "invalid_client")
    assert (await admin.ask("POST", f"{path}/enable")).status_code == 204
    assert (await ask(served, GRANT, again.basic)).status_code == 200
    assert (await admin.ask("POST", f"{path}/revoke-tokens")).status_code == 204
    assert (await admin.ask("DELETE", path)).status_code == 204
    assert (await admin.ask("GET", path)).json()["code"] == "service_account_not_found"


async def test_the_metadata_says_how_clients_prove_themselves(served: Served) -> None:
    said = (await served.http.get("/.well-known/oauth-authorization-server")).json()
    assert said["token_endpoint"].endswith("/oauth2/token")
    assert said["grant_types_supported"] == ["client_credentials"]
    assert said["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "private_key_jwt"]
