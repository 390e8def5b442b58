"""Minos as a client sees it, which rotates refresh tokens as the real one does."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from minos_sdk.client import MinosClient
from minos_sdk.steps import Retries
from minos_sdk.sync_client import SyncMinosClient

URL = "https://auth.example"


AT_ONCE = Retries(times=3, first_s=0.0, longest_s=0.0)


Handler = Callable[[httpx.Request], httpx.Response]


class Minos:
    """Rotates refresh tokens as the real one does: the one before the newest gets the newest again, an older one ends the session."""

    def __init__(self) -> None:
        self.generation = 1
        self.over = False
        self.asked: list[tuple[str, str]] = []
        self.refreshes = 0
        self.lose_next = 0
        self.life = 300
        self.answers: list[httpx.Response] = []
        self.seen: list[httpx.Request] = []

    def pair(self) -> dict[str, Any]:
        n = self.generation
        return {
            "status": "signed_in", "access_token": f"access-{n}", "token_type": "Bearer", "expires_in": self.life,
            "refresh_token": f"mrt_{n}", "refresh_expires_in": 1000, "session_id": "s1", "user_id": "u1", "device_token": "mdv_1",
        }  # fmt: skip

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        self.seen.append(request)
        if request.url.path == "/api/v1/auth/login":
            return httpx.Response(200, json=self.pair())
        if request.url.path == "/api/v1/auth/refresh":
            return self._refresh(json.loads(request.content)["refresh_token"])
        if request.url.path == "/api/v1/auth/logout":
            self.over = True
            return httpx.Response(204)
        if self.answers:
            return self.answers.pop(0)
        bearer = request.headers.get("authorization")
        if self.over or bearer != f"Bearer access-{self.generation}":
            return problem(401, "invalid_token")
        return httpx.Response(200, json={"me": "ada"})

    def _refresh(self, token: str) -> httpx.Response:
        self.refreshes += 1
        if self.over or token not in {f"mrt_{self.generation}", f"mrt_{self.generation - 1}"}:
            self.over = True
            return problem(401, "refresh_token_reused")
        if token == f"mrt_{self.generation}":
            self.generation += 1
        if self.lose_next:
            self.lose_next -= 1
            raise httpx.ReadTimeout("lost")
        return httpx.Response(200, json=self.pair())


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"status": status, "code": code, "detail": "No."}, headers=named)


def client_of(minos: Handler, **more: Any) -> MinosClient:
    return MinosClient(URL, http=httpx.AsyncClient(transport=httpx.MockTransport(minos)), retries=AT_ONCE, **more)


def sync_client_of(minos: Handler, **more: Any) -> SyncMinosClient:
    return SyncMinosClient(URL, http=httpx.Client(transport=httpx.MockTransport(minos)), retries=AT_ONCE, **more)


async def signed_in(minos: Minos, **more: Any) -> MinosClient:
    client = client_of(minos, **more)
    await client.login(email="ada@example.org", password="a pass phrase")
    return client
