"""People at their devices: what they know, and what they ask of the authority in their own name."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.running import Running

PASSWORD = "correct horse battery staple"


@dataclass(slots=True)
class Person:
    """One account at one device. `tokens` is the last answer that carried a pair."""

    http: httpx.AsyncClient
    email: str
    password: str = PASSWORD
    tokens: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def user_id(self) -> str:
        return str(self.tokens["user_id"])

    @property
    def session_id(self) -> str:
        return str(self.tokens["session_id"])

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Call `/api/v1<path>` with this person's access token."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=self.bearer | given)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.ask("GET", path, **headers)

    async def sign_in(self, **more: str) -> "Person":
        """Sign in at another device. Fails the test when that is refused."""
        answer = await self.http.post("/api/v1/auth/login", json={"email": self.email, "password": self.password, **more})
        assert answer.status_code == 200, answer.text
        return Person(self.http, self.email, self.password, answer.json())

    async def refresh(self, token: str | None = None, **more: str) -> httpx.Response:
        """Exchange the refresh token, or another one; this person's tokens are the new ones if it worked."""
        body = {"refresh_token": token or self.tokens["refresh_token"], **more}
        answer = await self.http.post("/api/v1/auth/refresh", json=body)
        if answer.status_code == 200 and token is None:
            self.tokens = answer.json()
        return answer

    async def is_signed_in(self) -> bool:
        answer = await self.get("/auth/session")
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200


def address() -> str:
    """Give an address nobody has."""
    return f"{secrets.token_hex(6)}@example.org"


async def register(http: httpx.AsyncClient, **more: str) -> Person:
    """Open an account and sign in to it."""
    wanted = {"email": address(), "password": PASSWORD, **more}
    answer = await http.post("/api/v1/auth/register", json=wanted)
    assert answer.status_code == 201, answer.text
    return await Person(http, wanted["email"], wanted["password"]).sign_in()


async def bootstrap(http: httpx.AsyncClient, code: str) -> Person:
    """Make the first administrator with the code, and sign in."""
    wanted = {"email": address(), "password": PASSWORD}
    answer = await http.post("/api/v1/bootstrap", json=wanted | {"code": code})
    assert answer.status_code == 201, answer.text
    return await Person(http, wanted["email"]).sign_in()


def client_of(running: Running) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=running.url, timeout=10.0, limits=httpx.Limits(max_connections=64))
