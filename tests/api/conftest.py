"""The application as it is served, without a socket: real Postgres, real keys, lifespan and all."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec import structs

from adapters.embedded_postgres import PostgresServer
from adapters.secret import Secret
from adapters.settings import Settings
from api.app import create
from api.edge import Edge
from api.world import World
from cli.first_start import prepare
from commands.context import Context
from commands.machine_answer import machine_claims
from commands.service_accounts import CreateServiceAccount, create_service_account
from commands.transact import read_states
from docs.console.authority import ROOT
from domain import client
from domain.ids import CorrelationId
from domain.permission import Permission
from domain.session import MINOS
from tests.conftest import Database, database_of
from workers.projector import Projector
from workers.sequencer import Sequencer

PASSWORD = "correct horse battery staple"
FIRST_ADMIN = "root@example.org"
RAISED = ROOT / "bench" / "limits_raised.toml"
"""Tests come from one address, and more often than people do."""
BASE = "http://127.0.0.1:8000"
_numbers = count(1)


@dataclass(slots=True)
class Person:
    """One account at one device."""

    http: httpx.AsyncClient
    email: str
    password: str = PASSWORD
    user_id: str = ""
    access: str = ""
    refresh: str = ""
    session_id: str = ""

    async def sign_in(self, **more: str) -> dict[str, Any]:
        answer = await self.http.post("/api/v1/auth/login", json={"email": self.email, "password": PASSWORD, **more})
        assert answer.status_code == 200, answer.text
        return self.keep(answer.json())

    def keep(self, pair: dict[str, Any]) -> dict[str, Any]:
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]
        self.user_id, self.session_id = pair["user_id"], pair["session_id"]
        return pair

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access}", **more.pop("headers", {})}
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **more)


class Served:
    """The application, and the workers' hands to bring its read models up to date."""

    def __init__(self, edge: Edge, http: httpx.AsyncClient, database: Database, code: str) -> None:
        self.edge = edge
        self.http = http
        self.code = code
        self.database = database
        self._sequencer = Sequencer(database.app_url)
        self._projector = Projector(database.app_url)

    async def project(self) -> None:
        while (step := await self._sequencer.step()) is not None and step.added:
            pass
        await self._projector.begin()
        while await self._projector.step():
            pass

    async def close(self) -> None:
        await self._projector.close()
        await self._sequencer.close()

    @property
    def world(self) -> World:
        """What the application was opened with."""
        app: Any = self.edge.app
        world: World = app.state.world
        return world

    async def machine(self, *permissions: str) -> str:
        """Make a service account of Minos itself, and give a token of it."""
        ports = self.world.ports
        ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="cli")
        wish = CreateServiceAccount(name="robot", audiences=(MINOS,), permissions=tuple(map(Permission, permissions)))
        stream = client.stream((await create_service_account(wish, ctx, ports)).result.client_id)
        tx = await read_states(ports, [(client.decider, stream)])
        account = client.registered(tx.state(client.decider, stream))
        claims = machine_claims(account, ports, audience=MINOS, permissions=account.permissions, ttl=300, at=tx.at)
        return await ports.mint.access_token(claims)

    async def person(self, *, sign_in: bool = True) -> Person:
        person = Person(self.http, f"person{next(_numbers)}@example.org")
        answer = await self.http.post("/api/v1/auth/register", json={"email": person.email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        person.user_id = answer.json()["user_id"]
        if sign_in:
            await person.sign_in()
        return person


@pytest.fixture(scope="session")
def api_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="minos-api-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
async def api_database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """One migrated database for all these tests: each makes people of its own."""
    connection = await asyncpg.connect(postgres_server.superuser_url)
    try:
        await connection.execute("CREATE DATABASE api TEMPLATE minos OWNER minos_owner STRATEGY FILE_COPY")
        yield database_of(postgres_server, "api")
        await connection.execute("DROP DATABASE api WITH (FORCE)")
    finally:
        await connection.close()


def settings_for(database: Database, folder: Path) -> Settings:
    return Settings(
        issuer=BASE,
        allowed_hosts=("127.0.0.1", "*.minos.example"),
        trusted_proxies=("10.0.0.0/8",),
        data_dir=folder,
        database_url=Secret(database.app_url),
        access_token_ttl=1800,  # people sign in once for all tests, however long those take
        audiences=("orders", "reports"),
        passkey_rp_id="127.0.0.1",
        passkey_origins=(BASE,),
        argon2_memory_kib=7168,
        argon2_passes=1,
        limits_file=RAISED,
        attributes_file=Path(__file__).with_name("attributes.toml"),
    )


@pytest.fixture(scope="session")
async def served(api_database: Database, api_folder: Path) -> AsyncIterator[Served]:
    settings = settings_for(api_database, api_folder)
    code = await prepare(settings, owner_url=api_database.owner_url)
    assert code is not None
    edge = create(settings)
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        await until_open(edge)
        served = Served(edge, http, api_database, code)
        # At once: some test gives away the tries that the code is good for.
        answer = await http.post("/api/v1/bootstrap", json={"code": code, "email": FIRST_ADMIN, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        await served.project()
        try:
            yield served
        finally:
            await served.close()


@pytest.fixture(scope="session")
async def listener(served: Served) -> str:
    return await served.machine("minos.signals.*")


@pytest.fixture(scope="session")
async def orders_signals(served: Served) -> None:
    connection = await asyncpg.connect(served.database.app_url)
    await connection.execute("INSERT INTO signal_classes (class) VALUES ('roles.orders') ON CONFLICT DO NOTHING")
    await connection.close()


@pytest.fixture
def nothing_is_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question is answered with what there is at that moment: nobody tells more, where the test does not."""
    monkeypatch.setattr("api.snapshots.REUSED_SECONDS", 0.0)
    monkeypatch.setattr("api.signals_now.WAIT_SECONDS", 0.0)


@pytest.fixture(scope="session")
async def admin(served: Served) -> Person:
    admin = Person(served.http, FIRST_ADMIN)
    await admin.sign_in()
    return admin


async def aged(served: Served, person: Person, seconds: int) -> str:
    """Give an access token of the person's session that says they proved who they are so long ago, as after refreshes."""
    world: World = served.edge.app.state.world  # type: ignore[attr-defined]  # the framework's application
    claims = await world.tokens.verify(person.access, audiences=None)
    return await world.ports.mint.access_token(structs.replace(claims, auth_time=claims.auth_time - seconds))


async def until_open(edge: Edge) -> None:
    async with asyncio.timeout(10):
        while not edge.open:
            await asyncio.sleep(0.01)


class lifespan:  # noqa: N801 - used as a context
    """Runs an application's life as a server does (ASGI, lifespan)."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[Any] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.create_task(self._edge(scope, self._to_app.get, self._from_app.put))
        await self._to_app.put({"type": "lifespan.startup"})
        message = await asyncio.wait_for(self._from_app.get(), 10)
        assert message["type"] == "lifespan.startup.complete", message

    async def __aexit__(self, *_error: object) -> None:
        assert self._task is not None
        await self._to_app.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(self._task, 10)
