"""A proxy keeps `/api/v1/bootstrap` from strangers; `//api/v1/bootstrap` and `/api/v1/bootstrap/` must not lead there."""

import pytest

from tests.api.conftest import Served


@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/me",
        "/api//v1/me",
        "/api/v1/me/",
        "/api/v1/me//",
        "/api/v1/me/%2F",
        "/api/v1/auth/session/",
        "/health/live/",
        "/api%2fv1/me",
        "/api/v1%2Fme",
        "/%61pi/v1/me",
        "/api/v1/auth/sessio%6e",
        "/api/v1/me%3f",
        "/.well-known%2fjwks.json",
    ],
)
async def test_there_is_one_spelling_of_an_address(served: Served, path: str) -> None:
    answer = await served.http.get(f"http://127.0.0.1:8000{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/auth/session"])
async def test_the_one_spelling_leads_there(served: Served, path: str) -> None:
    assert (await served.http.get(path)).status_code == 401
