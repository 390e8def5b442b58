"""The same service in FastAPI and in Litestar: the same answers, and both describe what they take."""

import asyncio
import json
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import minos_sdk.fastapi
from minos_sdk.action_tokens import ActionTokens, asked_path
from minos_sdk.refusals import CredentialUnknown
from two_services import ADA, EXPORT, JSON, URL, Gate, Minos, Own, Served, fastapi_service, litestar_service


@pytest.fixture(params=[fastapi_service, litestar_service], ids=["fastapi", "litestar"])
def served(request: pytest.FixtureRequest) -> Served:
    return Served(request.param)


async def test_who_calls_is_a_parameter(served: Served) -> None:
    answer = await served.http.get("/me", headers=ADA)
    assert (answer.status_code, answer.text.strip('"')) == (200, "ada")
    assert (await served.http.get("/health")).status_code == 200


REFUSED = {
    "no credential": ("/me", {}, 401, "authentication_required"),
    "a bad one": ("/me", {"authorization": "Bearer eve"}, 401, "invalid_token"),
    "two": ("/me", {**ADA, "x-api-key": "mk_"}, 400, "ambiguous_credentials"),
    "no role": ("/admin", ADA, 403, "role_required"),
    "no proof": ("/fresh", ADA, 401, "reauthentication_required"),
    "no service": ("/export", ADA, 403, "service_required"),
    "no permission": ("/orders", EXPORT, 403, "permission_denied"),
}


@pytest.mark.parametrize(("path", "headers", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_refusals_are_problems(served: Served, path: str, headers: dict[str, str], status: int, code: str) -> None:
    answer = await served.http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_challenge_for_a_proof_says_how_old_and_how_strong(served: Served) -> None:
    challenge = (await served.http.get("/fresh", headers=ADA)).headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'max_age="300", acr_values="urn:minos:acr:two-factor"' in challenge


async def test_rules_let_through_who_keeps_them(served: Served) -> None:
    assert (await served.http.get("/orders", headers=ADA)).status_code == 200
    assert (await served.http.get("/export", headers=EXPORT)).text.strip('"') == "client_x"


async def test_a_route_may_ask_to_know_what_was_revoked(served: Served) -> None:
    assert (await served.http.get("/strict", headers=ADA)).status_code == 200
    served.gate.is_blind = True
    answer = await served.http.get("/strict", headers=ADA)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "revocations_unknown", "2")


async def test_an_action_token_is_used_up_for_this_very_request(served: Served) -> None:
    answer = await served.http.post("/refunds?order=7", headers={**ADA, **JSON, "x-action-token": "mat_1"}, content=b'{"order": 7}')
    assert (answer.status_code, answer.json()) == (200, {"order": 7})
    assert served.minos.asked == [
        {
            "action_token": "mat_1", "action": "shop:refund", "session_id": "s1", "method": "POST", "path": "/refunds?order=7",
            "parameters": "yuCIsWC3BVXqBamej4DNkEDFaLcbnRuZc5_1zOhOBe4",
        }
    ]  # fmt: skip


def test_attack_action_token_for_another_request_that_reads_the_same() -> None:
    sent = {"path": "/notes/a?all=1", "raw_path": b"/notes/a%3Fall=1", "query_string": b""}
    asked = {"path": "/notes/a", "raw_path": b"/notes/a", "query_string": b"all=1"}
    assert asked_path(sent) != asked_path(asked) == "/notes/a?all=1"
    del sent["raw_path"], asked["raw_path"]  # not every server gives it
    assert asked_path(sent) != asked_path(asked) == "/notes/a?all=1"


async def test_an_action_needs_a_token_a_person_and_the_rules_before_one_is_used_up(served: Served) -> None:
    answer = await served.http.post("/refunds", headers=ADA, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "action_token_required")
    answer = await served.http.post("/refunds", headers={**EXPORT, "x-action-token": "mat_1"}, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
    assert served.minos.asked == []


ANSWERS = {
    "used": (409, "action_token_used", 409, "action_token_used"),
    "of another request": (403, "action_token_invalid", 403, "action_token_invalid"),
    "this service may not": (403, "permission_denied", 503, "credential_unknown"),
    "our own token is bad": (401, "invalid_token", 503, "credential_unknown"),
    "busy": (503, "overloaded", 503, "credential_unknown"),
}


@pytest.mark.parametrize(("status", "code", "told", "as_code"), ANSWERS.values(), ids=ANSWERS)
async def test_attack_action_done_although_its_token_was_not_used_up(
    served: Served, status: int, code: str, told: int, as_code: str
) -> None:
    served.minos.answer = httpx.Response(status, json={"code": code, "detail": "No."})
    answer = await served.http.post("/refunds", headers={**ADA, **JSON, "x-action-token": "mat_1"}, content=b'{"order": 7}')
    assert (answer.status_code, answer.json()["code"]) == (told, as_code)
    assert len(served.minos.asked) == 1, "a token that may be used up is not shown twice"


@pytest.mark.parametrize(("refusals", "good"), [(2, True), (9, False)])
async def test_a_service_whose_own_token_was_taken_back_asks_for_another_and_once_more(refusals: int, *, good: bool) -> None:
    """Its account's secret was replaced. Nothing was used up by a call that was refused for who made it."""
    shown: list[str] = []
    person = await Gate().verify("ada")

    class Renewing(Own):
        now = "old"

        async def token(self, audience: str) -> str:
            return f"{self.now} {audience}"

        async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
            assert instead_of == "old minos"
            self.now = "own"
            return await self.token(audience)

    def answer(request: httpx.Request) -> httpx.Response:
        shown.append(request.headers["authorization"])
        return httpx.Response(401, json={"code": "invalid_token"}) if len(shown) < refusals else Minos()(request)

    actions = ActionTokens(URL, Renewing(), http=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    consumed = actions.consume("mat_1", "shop:refund", person, method="POST", path="/refunds", body=None)
    with nullcontext() if good else pytest.raises(CredentialUnknown):
        await consumed
    assert shown == ["Bearer old minos", "Bearer own minos"]


async def test_the_description_names_what_is_taken(served: Served) -> None:
    where = "/openapi.json" if isinstance(served.app, FastAPI) else "/schema/openapi.json"
    told = (await served.http.get(where)).json()
    assert told["components"]["securitySchemes"]["minosToken"] | {"description": ""} == {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "",
    }  # fmt: skip
    assert {"minosToken": []} in (told.get("security") or told["paths"]["/orders"]["get"]["security"])
    if isinstance(served.app, FastAPI):
        assert [each["name"] for each in told["paths"]["/refunds"]["post"]["parameters"]] == ["x-action-token"]


@pytest.mark.parametrize("required", [True, False])
def test_the_description_says_of_each_route_how_it_may_be_refused(*, required: bool) -> None:
    minos = minos_sdk.fastapi.Minos(Gate(), api_keys=minos_sdk.ApiKeys(URL, "shop", minos_sdk.ClientSecret("client_shop", "s")))
    app = FastAPI()
    minos.install(app, required=required, exempt=["/health"])
    for path, depends in (("/health", []), ("/plain", []), ("/me", [minos.identity]), ("/who", [minos.optional_identity])):
        app.get(path, dependencies=depends, responses={503: {"description": "Ours."}})(lambda: None)
    paths, parts = app.openapi()["paths"], app.openapi()["components"]
    told = {path: {str(status) for status in item["get"]["responses"]} for path, item in paths.items()}
    refused = {"200", "400", "401", "403", "503"}
    assert told == {"/health": {"200", "503"}, "/plain": refused, "/me": refused, "/who": refused}
    both, anyone = [{"minosToken": []}, {"minosApiKey": []}], [] if required else [{}]
    asked = {path: item["get"].get("security") for path, item in paths.items()}
    assert asked == {"/health": None, "/plain": anyone + both, "/me": both, "/who": anyone + both}
    assert paths["/me"]["get"]["responses"]["503"] == {"description": "Ours."}
    assert parts["securitySchemes"]["minosApiKey"] | {"description": ""} == {
        "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "",
    }  # fmt: skip
    assert parts["responses"]["MinosRefusal401"]["content"].keys() == {"application/problem+json"}
    assert app.openapi() == app.openapi()


async def test_a_websocket_that_keeps_no_rule_gets_the_whole_refusal(served: Served) -> None:
    to, sent = asyncio.Queue[Any](), list[Any]()
    to.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/live", "raw_path": b"/live", "root_path": "", "query_string": b"", "subprotocols": [],
        "headers": [(b"authorization", b"Bearer ada"), (b"host", b"shop.example")], "extensions": {"websocket.http.response": {}},
        "scheme": "ws", "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "asgi": {"version": "3.0"},
    }  # fmt: skip
    await served.app(scope, to.get, send)
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (403, "role_required")


async def test_the_application_listens_to_revocations_while_it_runs(served: Served) -> None:
    to, sent = asyncio.Queue[Any](), asyncio.Queue[Any]()
    to.put_nowait({"type": "lifespan.startup"})
    running = asyncio.create_task(_lifespan(served.app, to, sent))
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    assert served.gate.started == 1
    to.put_nowait({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await running
    assert served.gate.started == 0


async def _lifespan(app: Any, to: "asyncio.Queue[Any]", sent: "asyncio.Queue[Any]") -> None:
    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, to.get, sent.put)
