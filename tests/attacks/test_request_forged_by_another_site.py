"""A page of somebody else's makes a browser ask here. There is nothing in a browser that would speak for its owner."""

import pytest

from tests.api.conftest import PASSWORD, Served

ELSEWHERE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


async def test_no_answer_leaves_a_cookie(served: Served) -> None:
    person = await served.person(sign_in=False)
    login = await served.http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
    person.keep(login.json())
    refreshed = await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh})
    pages = [await served.http.get(path) for path in ("/docs", "/account/reset", "/account/verify", "/health/live")]
    for answer in (login, refreshed, await person.ask("GET", "/me"), *pages):
        assert answer.status_code == 200, answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["access_token", "session", "minos", "__Host-minos", "Authorization"])
async def test_a_token_in_a_cookie_is_no_credential(served: Served, name: str) -> None:
    person = await served.person()
    for method, path in (("GET", "/me"), ("POST", "/auth/logout"), ("DELETE", "/me/sessions")):
        answer = await served.http.request(method, f"/api/v1{path}", headers={"Cookie": f"{name}={person.access}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_what_a_form_can_send_is_not_read(served: Served, kind: str) -> None:
    body = b'{"email": "forged@example.org", "password": "correct horse battery staple"}'
    answer = await served.http.post("/api/v1/auth/register", content=body, headers={"Content-Type": kind, **ELSEWHERE})
    assert answer.status_code == 415


async def test_no_other_site_is_let_in_to_read_or_to_send_json(served: Served) -> None:
    person = await served.person()
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    preflight = await served.http.options("/api/v1/auth/login", headers={**ELSEWHERE, **asked})
    read = await person.ask("GET", "/me", headers=ELSEWHERE)
    for answer in (preflight, read):
        assert [name for name in answer.headers if name.startswith("access-control-")] == []
