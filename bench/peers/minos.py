"""Ours: `minos up` on a database that it is given, with every process of it on the server's core."""

import secrets
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Self

import argon2

from bench import databases
from bench.limits_cost import RAISED
from bench.load import form_request, request
from bench.machines import AUDIENCE, Account, made_account
from bench.over_http import PASSWORD, Member, member, port_of
from bench.peers.asking import asked
from bench.peers.cores import on
from bench.peers.target import Hashed, Place, Work
from bench.processes import tree
from bench.running import Running

DATABASE = "minos_compared"
_SETTINGS = {"trusted_proxies": "127.0.0.1/32", "access_token_ttl": "3600", "log_level": "warning", "limits_file": str(RAISED)}


class Minos:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._running = Running(place.folder)
        self._people: list[Member] = []
        self._account: Account = {}

    @property
    def port(self) -> int:
        return port_of(self._running)

    @property
    def start_s(self) -> float:
        return self._running.start_s

    async def __aenter__(self) -> Self:
        serving, owner = await databases.migrated(self._place.postgres, DATABASE)
        key = b64encode(secrets.token_bytes(32)).decode()
        given = {"database_url": serving, "migration_database_url": owner, "master_key": key}
        self._running = Running(self._place.folder, **_SETTINGS, **given)
        if (done := await self._running.minos("migrate")).code:
            raise RuntimeError(f"minos migrate failed: {done.err}")
        with on(self._place.cores.server):
            await self._running.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.stop()

    def parts(self) -> Mapping[str, Sequence[int]]:
        waiting, answers, *hashes = tree(self._running.pid("api"))
        return {
            "api": [answers],
            "hashing": hashes,
            "workers": tree(self._running.pid("workers")),
            "nats": tree(self._running.pid("nats")),
            "up": [self._running.pid("up"), waiting],
        }

    async def prepare(self, people: int) -> None:
        self._people = [member(self._running.url, number) for number in range(people)]
        self._account = await made_account(self._running)

    def work(self, operation: str, connections: int) -> Work:
        people = self._people[:connections]
        match operation:
            case "session":
                texts = [request("GET", "/api/v1/auth/session", token=person.access_token) for person in people]
                return Work(requests=texts, holds=['"session_id":"'] * len(people))
            case "refresh":
                text = request("POST", "/api/v1/auth/refresh", body={"refresh_token": "<refresh>"})
                tokens = [person.refresh_token for person in people]
                return Work(requests=[text] * len(people), tokens=tokens, holds=['"access_token":"ey'] * len(people))
            case "sign_in":
                texts = [request("POST", "/api/v1/auth/login", body=_proof(p.email), network=_network(n)) for n, p in enumerate(people)]
                return Work(requests=texts, holds=['"refresh_token":"'] * len(people))
            case "register":
                texts = [_registration(n) for n in range(connections)]
                return Work(requests=texts, holds=[""] * connections)
            case "jwks":
                return _alike(request("GET", "/.well-known/jwks.json"), '"keys":[', connections)
            case "client_token":
                return _alike(self._granted(), '"access_token":"ey', connections)
            case _:
                token = asked(self.port, self._granted()).json["access_token"]
                return _alike(form_request("/oauth2/introspect", {"token": token}, basic=self._basic), '"active":true', connections)

    async def bare_hash(self, times: int) -> Hashed:
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        encoded = hasher.hash(PASSWORD)
        with on(self._place.cores.server):
            began = time.thread_time()
            for _ in range(times):
                hasher.verify(encoded, PASSWORD)
            took = time.thread_time() - began
        return Hashed(kind="Argon2id m=19456,t=2,p=1", verify_ms=1_000 * took / times)

    @property
    def _basic(self) -> str:
        return b64encode(f"{self._account['client_id']}:{self._account['client_secret']}".encode()).decode()

    def _granted(self) -> str:
        return form_request("/oauth2/token", {"grant_type": "client_credentials", "audience": AUDIENCE}, basic=self._basic)


def _registration(number: int) -> str:
    body = _proof(f"new-{number}-<number>@example.org")
    return request("POST", "/api/v1/auth/register", body=body, network=_network(number))


def _proof(email: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD}


def _network(number: int) -> str:
    """An address in another network for each connection: of one network few may wait for a hash, and the fewer the fewer cores."""
    return f"198.51.{number}.7"


def _alike(text: str, holds: str, connections: int) -> Work:
    return Work(requests=[text] * connections, holds=[holds] * connections)
