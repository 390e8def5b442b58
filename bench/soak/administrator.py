"""The one who gives roles, suspends and erases. Signs in anew before their proof is too old for that."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import httpx

from bench.running import Running
from bench.soak.clients import PASSWORD, ROLE
from bench.soak.listener import AUDIENCE

RENEW_S = 300.0
_AGAIN_S = 1.0


class Chief:
    def __init__(self, http: httpx.AsyncClient, running: Running) -> None:
        self._http, self._url = http, f"{running.url}/api/v1"
        self._email = f"{secrets.token_hex(6)}@example.org"
        self._tokens: dict[str, Any] = {}

    @property
    def bearer(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    async def begin(self, code: str) -> None:
        """Become the first administrator and define the role that people get. Raises RuntimeError."""
        wish = {"email": self._email, "password": PASSWORD, "code": code}
        await self._asked("POST", "/bootstrap", wish)
        await self._sign_in()
        await self._asked("POST", "/roles", {"name": ROLE, "permissions": [f"{AUDIENCE}.keep"]}, self.bearer)

    async def renew(self) -> None:
        pause = RENEW_S
        while True:
            await asyncio.sleep(pause)
            try:
                await self._sign_in()
                pause = RENEW_S
            except (httpx.HTTPError, RuntimeError):
                pause = _AGAIN_S

    async def _sign_in(self) -> None:
        self._tokens = (await self._asked("POST", "/auth/login", {"email": self._email, "password": PASSWORD})).json()

    async def _asked(self, method: str, path: str, body: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        answer = await self._http.request(method, self._url + path, json=body, headers=dict(headers or {}))
        if not answer.is_success:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}")
        return answer
