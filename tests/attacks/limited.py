"""The application with limits tight enough to be reached, as callers from anywhere meet it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec

from api.app import create
from api.edge import Edge
from tests.api.conftest import BASE, PASSWORD, lifespan, settings_for, until_open
from tests.conftest import Database

LOGIN, SESSION, REFRESH, ME = "/api/v1/auth/login", "/api/v1/auth/session", "/api/v1/auth/refresh", "/api/v1/me"
ADDRESS, NETWORK, NAME, ACCOUNT = 5, 12, 3, 4
_files = count(1)
TIGHT = f"""
[sign_in]
address = ["{ADDRESS}/1h"]
network = ["{NETWORK}/1h"]
name = ["{NAME}/1h"]
[default]
address = ["{ADDRESS}/1h"]
[checks]
address = ["50/1h"]
account = ["{ACCOUNT}/1h"]
[own]
address = ["{ADDRESS}/1h"]
account = ["{ACCOUNT}/1h"]
[refresh]
address = ["50/1h"]
session = ["{ACCOUNT}/1h"]
[rescue]
session = ["{ACCOUNT}/1h"]
[action_tokens]
session = ["{ACCOUNT}/1h"]
[proofs]
session = ["{ACCOUNT}/1h"]
[enrolment]
account = ["{ACCOUNT}/1h"]
[own_changes]
account = ["{ACCOUNT}/1h"]
[clients]
account = ["{ACCOUNT}/1h"]
[revocation]
account = ["{ACCOUNT}/1h"]
"""


@asynccontextmanager
async def limited(database: Database, folder: Path, policy: str = TIGHT) -> AsyncGenerator[Edge]:
    """`folder` holds the authority's master key."""
    path = folder / f"limits-{next(_files)}.toml"
    path.write_text(policy)
    edge = create(msgspec.structs.replace(settings_for(database, folder), limits_file=path))
    async with lifespan(edge):
        await until_open(edge)
        yield edge


class Caller:
    """Somebody at an address."""

    def __init__(self, edge: Edge, address: str) -> None:
        transport = httpx.ASGITransport(app=edge, client=(address, 40_000))  # type: ignore[arg-type]  # the same protocol, typed less openly
        self._http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {**(more.pop("headers", None) or {}), **({} if token is None else {"Authorization": f"Bearer {token}"})}
        return await self._http.request(method, path, headers=headers, **more)

    async def sign_in(
        self, name: str = "nobody@example.org", password: str = PASSWORD, *, headers: Mapping[str, str] | None = None, path: str = LOGIN
    ) -> int:
        return (await self.ask("POST", path, json={"email": name, "password": password}, headers=headers)).status_code
