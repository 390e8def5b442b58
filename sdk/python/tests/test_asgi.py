"""The middleware, driven as a server drives it."""

import asyncio
import json
from typing import Any

import pytest

from driven import BEARER, KEY, Gate, ask, whoami
from minos_sdk.admission import NotInstalled, admitted
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.errors import Blind, ExpiredToken, InvalidToken, Revoked
from minos_sdk.policies import REFUSE
from minos_sdk.rules import require_fresh_auth, require_role


async def test_who_calls_is_in_the_scope() -> None:
    gate = Gate()
    app = MinosMiddleware(whoami, gate, api_keys=gate)
    assert (await ask(app, BEARER))[2] == ["user", "ada"]
    assert (await ask(app, (b"x-api-key", KEY.encode())))[2] == ["api_key", "ada"]
    assert (await ask(app, (b"authorization", f"bearer {KEY}".encode())))[2] == ["api_key", "ada"]


async def test_a_request_without_a_credential_is_challenged_without_an_error() -> None:
    status, headers, told = await ask(MinosMiddleware(whoami, Gate()))
    assert (status, headers[b"www-authenticate"], told["code"]) == (401, b"Bearer", "authentication_required")
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"cache-control"] == b"no-store"
    assert told == {"type": "about:blank", "title": "Unauthorized", "status": 401, "code": told["code"], "detail": told["detail"]}


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (InvalidToken(), 401, "invalid_token"),
        (ExpiredToken(), 401, "token_expired"),
        (Revoked(), 401, "token_revoked"),
        (Blind(), 503, "revocations_unknown"),
    ],
    ids=["invalid", "expired", "revoked", "blind"],
)
async def test_refusals_are_problems_with_challenges_and_times(refusal: Exception, status: int, code: str) -> None:
    gate = Gate()
    gate.refusal = refusal
    got, headers, told = await ask(MinosMiddleware(whoami, gate), BEARER)
    assert (got, told["code"]) == (status, code)
    assert (b'error="invalid_token"' in headers.get(b"www-authenticate", b"")) == (status == 401)
    assert (b"retry-after" in headers) == (status == 503)


TWO = {
    "a token and a key": [BEARER, (b"x-api-key", KEY.encode())],
    "two tokens": [BEARER, BEARER],
    "two keys": [(b"x-api-key", KEY.encode())] * 2,
    "a bad one before": [(b"authorization", b"Basic eDp5"), (b"x-api-key", KEY.encode())],
    "an empty one": [BEARER, (b"x-api-key", b"")],
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("headers", TWO.values(), ids=TWO)
async def test_attack_two_credentials_of_which_each_part_believes_another(headers: list[tuple[bytes, bytes]], method: str) -> None:
    gate = Gate()
    for app in (MinosMiddleware(whoami, gate, api_keys=gate), MinosMiddleware(whoami, gate, required=False)):
        status, _, told = await ask(app, *headers, method=method)
        assert (status, told["code"]) == (400, "ambiguous_credentials")
    assert gate.asked == []


BAD = {
    "another scheme": (b"authorization", b"Basic Z29vZA=="),
    "no scheme": (b"authorization", b"good"),
    "no token": (b"authorization", b"Bearer "),
    "two in one": (b"authorization", b"Bearer good, Bearer bad"),
    "not ascii": (b"authorization", "Bearer goöd".encode()),
    "very long": (b"authorization", b"Bearer " + b"a" * 9000),
    "a token as a key": (b"x-api-key", b"good"),
    "an unknown key": (b"x-api-key", b"mk_dev_1"),
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
async def test_attack_bad_credential_taken_for_none_where_none_is_needed(header: tuple[bytes, bytes]) -> None:
    gate = Gate()
    status, _, told = await ask(MinosMiddleware(whoami, gate, api_keys=gate, required=False), header)
    assert (status, told["code"]) == (401, "invalid_token")
    assert header[1].decode("latin-1").partition(" ")[2] not in json.dumps(told) or not header[1].partition(b" ")[2]


async def test_attack_credential_that_another_site_has_a_browser_send() -> None:
    gate = Gate()
    app = MinosMiddleware(whoami, gate, api_keys=gate)
    for header in ((b"cookie", b"access_token=good; __Host-minos=good; authorization=Bearer good"), (b"x-access-token", b"good")):
        assert (await ask(app, header, path="/orders", query=b"access_token=good"))[2]["code"] == "authentication_required"
    assert gate.asked == []


async def test_credentials_that_are_not_taken_here_are_refused() -> None:
    gate = Gate()
    assert (await ask(MinosMiddleware(whoami, gate), (b"x-api-key", KEY.encode())))[0] == 401
    assert (await ask(MinosMiddleware(whoami, gate, api_keys=gate, bearer=False), BEARER))[0] == 401
    with pytest.raises(ValueError, match="nobody"):
        MinosMiddleware(whoami, gate, bearer=False)


async def test_attack_connection_of_a_kind_that_nobody_looks_at() -> None:
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    with pytest.raises(NotImplementedError):
        await MinosMiddleware(app, Gate())({"type": "webtransport", "path": "/", "headers": []}, app, app)  # type: ignore[arg-type]
    assert not reached


async def test_a_rule_refused_further_in_is_answered_and_a_proof_asked_for() -> None:
    async def strict(scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, require_role(scope["path"][1:]) & require_fresh_auth(max_age=300, acr="urn:minos:acr:two-factor"))

    app = MinosMiddleware(strict, Gate())
    status, headers, told = await ask(app, BEARER, path="/admin")
    assert (status, told["code"], told["detail"]) == (403, "role_required", "This asks for the role admin.")
    assert b"insufficient_scope" in headers[b"www-authenticate"]
    status, headers, told = await ask(MinosMiddleware(strict, Gate()), BEARER, path="/clerk")
    assert status == 403


async def test_a_stricter_policy_is_asked_for_where_a_route_wants_it() -> None:
    async def strict(scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, on_blind=REFUSE)

    assert (await ask(MinosMiddleware(strict, Gate()), BEARER))[0] == 503


async def test_who_asks_for_an_identity_gets_one_or_a_401() -> None:
    async def insists(scope: Any, receive: Any, send: Any) -> None:
        assert await admitted(scope)
        await whoami(scope, receive, send)

    app = MinosMiddleware(insists, Gate(), required=False)
    assert (await ask(app))[0] == 401
    assert (await ask(app, BEARER))[0] == 200


async def test_attack_application_without_middleware_lets_everybody_in() -> None:
    with pytest.raises(NotInstalled):
        await ask(whoami, BEARER)
    with pytest.raises(NotInstalled):
        await admitted({"type": "http", "minos.caller": "ada"})


async def test_what_is_no_refusal_and_what_comes_too_late_is_not_answered() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InvalidToken

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError

    for app, error in ((late, InvalidToken), (broken, KeyError)):
        with pytest.raises(error):
            await ask(MinosMiddleware(app, Gate()), BEARER)


async def test_lifespan_goes_through() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await MinosMiddleware(app, Gate())({"type": "lifespan"}, asyncio.Queue[Any]().get, asyncio.Queue[Any]().put)
    assert seen == ["lifespan"]
