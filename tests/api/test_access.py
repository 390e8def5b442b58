"""Who may call what, held against every route there is."""

import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from api.asking import Asking
from api.policy import POLICY, Access, Needs, check_complete
from api.routes import ROUTES
from tests.api.conftest import Person, Served

NOBODY = str(uuid4())
PUBLIC = {
    "verifyEmail", "resendVerification", "forgotPassword", "checkPasswordReset", "resetPassword",
    "showVerify", "showConfirm", "showChange", "showUndo", "showReset", "showInvite",
    "checkEmailUndo", "undoEmail", "acceptInvitation", "readAccountScript", "readAccountStyle",
    "revokeLeakedApiKey",
    "resendLoginCode", "offerTotpAtLogin", "confirmTotpAtLogin", "offerPasskeyAtLogin", "registerPasskeyAtLogin",
    "bootstrap", "register", "login", "completeLogin", "askForPasskey", "loginWithPasskey", "refresh",
    "judgePassword", "checkCredential", "readOpenIdConfiguration",
    "readCheckpoint", "readTile", "readCheckpointOfEpoch", "readTileOfEpoch", "readNewestCheckpoint", "proveConsistency",
    "readAuthorizationServer", "readKeySet", "readSignalsKeySet", "readInternalKeySet",
    "healthLive", "healthReady", "healthStartup", "findDocs", "readDocs", "readDocsAsset", "readProblems", "readOpenApi", "readAsyncApi",
}  # fmt: skip
WHOLE = {"renameMyFactor": {"name": "mine"}}
"""What has no body without a field that must be there."""
FOREIGN = {"logout", "readAuthSession", "makeActionToken"}


@dataclass(frozen=True)
class Route:
    operation: str
    method: str
    path: str

    def at(self, **ids: str) -> str:
        filled = self.path
        for name, value in ids.items():
            filled = filled.replace(f"{{{name}}}", value)
        return (
            filled.replace("{role}", "user")
            .replace("{client_id}", "client_nobody")
            .replace("{secret_id}", NOBODY)
            .replace("{key_id}", NOBODY)
            .replace("{tile}", "000")
            .replace("{level}", "0")
            .replace("{epoch}", "2")
            .replace("{kid}", "k" * 43)
            .replace("{jti}", NOBODY)
            .replace("{audience}", "nothing-here")
            .replace("{action}", "refund")
            .replace("/signals/stream", "/signals/stream?after=x")  # which is refused: the answer would never end
            .replace("{user_id}", NOBODY)
            .replace("{session_id}", NOBODY)
            .replace("{factor_id}", NOBODY)
            .replace("{invitation_id}", NOBODY)
        )


@pytest.fixture(scope="session")
async def machine_of_all(served: Served) -> str:
    return await served.machine("*")


@pytest.fixture(scope="session")
async def machine_of_none(served: Served) -> str:
    return await served.machine("tickets.*")


@pytest.fixture(scope="module")
async def signed_out(served: Served) -> Person:
    person = await served.person()
    assert (await person.ask("POST", "/auth/logout")).status_code == 204
    return person


@pytest.fixture(scope="module")
async def of_orders(served: Served) -> Person:
    person = await served.person(sign_in=False)
    await person.sign_in(audience="orders")
    return person


@pytest.fixture(scope="module")
async def stranger(served: Served) -> Person:
    return await served.person()


@pytest.fixture(scope="module")
async def victim(served: Served) -> Person:
    return await served.person()


def routes() -> list[Route]:
    app = Litestar(list(ROUTES), request_class=Asking, openapi_config=None)
    return [
        Route(str(handler.operation_id), next(iter(handler.http_methods)), route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.http_methods != {"OPTIONS"}
    ]


ALL = sorted(routes(), key=lambda route: route.operation)
GUARDED = [route for route in ALL if POLICY[route.operation].needs not in {Needs.NOTHING, Needs.CLIENT}]
named = pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)


def test_no_route_is_forgotten_and_no_rule_is_left_over() -> None:
    assert {route.operation for route in ALL} == set(POLICY)


def test_a_forgotten_route_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match="brandNew"):
        check_complete([*POLICY, "brandNew"])


def test_a_route_without_a_name_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match="operation_id"):
        check_complete([*POLICY, None])


def test_a_rule_without_a_route_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match="register"):
        check_complete(set(POLICY) - {"register"})


def test_what_anybody_may_call_is_a_list_that_was_decided() -> None:
    assert {name for name, access in POLICY.items() if access.needs is Needs.NOTHING} == PUBLIC


def test_where_clients_prove_themselves_is_a_list_that_was_decided() -> None:
    assert {name for name, access in POLICY.items() if access.needs is Needs.CLIENT} == {
        "grantToken",
        "introspectToken",
        "revokeToken",
    }


def test_what_takes_tokens_for_others_is_a_list_that_was_decided() -> None:
    assert {name for name, access in POLICY.items() if access.needs in {Needs.TOKEN, Needs.SESSION}} == FOREIGN


def test_a_permission_is_asked_for_exactly_where_the_rule_says_so() -> None:
    assert all((access.permission is not None) == (access.needs is Needs.PERMISSION) for access in POLICY.values())


def test_permissions_are_ours() -> None:
    asked = {access.permission for access in POLICY.values() if access.permission is not None}
    assert all(re.fullmatch(r"minos\.[a-z]+\.[a-z]+", permission) for permission in asked)


@named
async def test_nobody_gets_in_without_a_token(served: Served, route: Route) -> None:
    answer = await served.http.request(route.method, route.at())
    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_required"
    assert answer.headers["www-authenticate"] == 'Bearer realm="minos"'


@named
@pytest.mark.parametrize("value", ["Bearer nonsense", "Bearer a.b.c", "Basic YTpi", "Bearer", "bearer  ", "Bearer " + "a" * 9_000])
async def test_nobody_gets_in_with_something_else(served: Served, route: Route, value: str) -> None:
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": value})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@named
async def test_an_api_key_is_no_way_in(served: Served, route: Route) -> None:
    answer = await served.http.request(route.method, route.at(), headers={"X-API-Key": "mk_dev_1_x"})
    assert answer.status_code == 401


@named
async def test_a_signed_out_session_gets_nowhere(served: Served, signed_out: Person, route: Route) -> None:
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": f"Bearer {signed_out.access}"}, json={})
    expected = 204 if route.operation == "logout" else 401
    assert answer.status_code == expected


@named
async def test_a_token_for_another_service_is_refused_here(served: Served, of_orders: Person, route: Route) -> None:
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": f"Bearer {of_orders.access}"})
    assert (answer.status_code == 401) == (route.operation not in FOREIGN)
    if route.operation == "logout":  # which it is good for
        await of_orders.sign_in(audience="orders")
    assert (await of_orders.ask("GET", "/auth/session")).status_code == 200, "the token was none, and this test shows nothing"


@named
async def test_a_machine_gets_in_only_where_a_permission_says_who_may(served: Served, machine_of_all: str, route: Route) -> None:
    """On everything that is a person's own, `session_required`, whatever the machine may do (threats.md 6)."""
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": f"Bearer {machine_of_all}"}, json=7)
    code = answer.json().get("code") if answer.status_code >= 400 else None
    if POLICY[route.operation].is_for_machines:
        assert code not in {"session_required", "permission_denied", "invalid_token", "authentication_required", "internal_error"}
    else:
        assert (answer.status_code, code) == (403, "session_required")


@pytest.mark.parametrize("route", [r for r in GUARDED if POLICY[r.operation].permission], ids=lambda route: route.operation)
async def test_a_machine_without_the_permission_is_refused(served: Served, machine_of_none: str, route: Route) -> None:
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": f"Bearer {machine_of_none}"}, json=7)
    assert answer.status_code == 403


def test_what_machines_may_call_needs_a_permission_and_is_no_ones_own() -> None:
    assert all(access.needs is Needs.PERMISSION for access in POLICY.values() if access.is_for_machines)
    own = [route.operation for route in ALL if route.path.startswith(("/api/v1/auth", "/api/v1/me"))]
    assert [operation for operation in own if POLICY[operation].is_for_machines] == ["consumeActionToken"], "which is theirs alone"


def permission_of(access: Access) -> str:
    return str(access.permission)


@pytest.mark.parametrize("route", [r for r in GUARDED if POLICY[r.operation].permission], ids=lambda route: route.operation)
async def test_a_plain_user_is_refused_whatever_needs_a_permission(served: Served, stranger: Person, victim: Person, route: Route) -> None:
    path = route.at(user_id=victim.user_id, session_id=victim.session_id)
    answer = await served.http.request(route.method, path, headers={"Authorization": f"Bearer {stranger.access}"}, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert (await victim.ask("GET", "/auth/session")).status_code == 200


@pytest.mark.parametrize("route", [r for r in GUARDED if "{" in r.path], ids=lambda route: route.operation)
async def test_a_stranger_finds_nothing_of_anothers(served: Served, stranger: Person, victim: Person, route: Route) -> None:
    path = route.at(user_id=victim.user_id, session_id=victim.session_id)
    body = WHOLE.get(route.operation, {})
    answer = await served.http.request(route.method, path, headers={"Authorization": f"Bearer {stranger.access}"}, json=body)
    assert answer.status_code in {403, 404}
    assert (await victim.ask("GET", "/auth/session")).status_code == 200


@pytest.mark.parametrize("permission", sorted({permission_of(a) for a in POLICY.values() if a.permission}))
async def test_one_permission_opens_its_routes_and_no_other(served: Served, admin: Person, permission: str) -> None:
    name = permission.replace(".", "-")
    await admin.ask("POST", "/roles", json={"name": name, "permissions": [permission]})
    holder = await served.person()
    assert (await admin.ask("PUT", f"/users/{holder.user_id}/roles/{name}")).status_code == 204
    for route in GUARDED:
        wanted = POLICY[route.operation].permission
        if wanted is None:
            continue
        answer = await served.http.request(
            route.method, route.at(), headers={"Authorization": f"Bearer {holder.access}"}, json={"permissions": 7, "reason": 7}
        )
        denied = answer.status_code == 403 and answer.json()["code"] == "permission_denied"
        assert denied == (wanted != permission), (route, answer.text)
