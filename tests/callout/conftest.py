"""An authority whose API tells a real NATS who its connections are, with streams as the feed makes them, and clients that come."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import nats
import pytest
from msgspec.structs import replace
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import StreamConfig

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.nats_callout import Callout
from adapters.nats_client import settled
from adapters.nats_credentials import proof
from adapters.nats_keys import public_key
from adapters.secret import Secret
from adapters.settings import Settings
from api.app import create
from api.callout import Door, answer_to
from api.world import World
from cli.first_start import prepare
from commands.context import Context
from commands.machine_answer import machine_claims
from commands.service_accounts import CreateServiceAccount, create_service_account
from commands.transact import read_states
from domain import client
from domain.audience import NATS
from domain.ids import AudienceName, ClientId, CorrelationId
from domain.permission import Permission
from tests.api.conftest import BASE, Served, lifespan, settings_for, until_open
from tests.callout.asking import Server
from tests.conftest import database_of

SUBJECTS = {
    "MINOS_EVENTS": ["minos.events.v1.>"],
    "SIG_ACCESS": ["sig.v1.access.>"],
    "SIG_ROLES_shop": ["sig.v1.roles.shop.*", "sig.v1.role_map.shop.*"],
    "SIG_ROLES_till": ["sig.v1.roles.till.*", "sig.v1.role_map.till.*"],
}
"""Every stream here can be read by Direct Get, the log's too: what keeps others from it must not be its configuration alone."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The API with its NATS."""

    served: Served
    server: NatsServer
    minos: Client
    """Connected as Minos itself."""
    door: Door
    """As the API has it."""
    asking: Server
    """Asks as a second server of a cluster would."""

    @property
    def world(self) -> World:
        return self.served.world

    def context(self) -> Context:
        return Context(correlation_id=CorrelationId(self.world.ports.random.uuid7()), system="cli")

    async def answer(self, **shown: str) -> dict[str, Any]:
        """Give what the other server would hear of one that shows this."""
        asked = self.door.wire.read(self.asking.asks(self.asking.claims(**shown)), self.asking.curve)
        return self.asking.hears(await answer_to(asked, self.door))

    async def service(self, *permissions: str) -> ClientId:
        wish = CreateServiceAccount(name="shop", audiences=(NATS, AudienceName("minos")), permissions=tuple(map(Permission, permissions)))
        return (await create_service_account(wish, self.context(), self.world.ports)).result.client_id

    async def token(self, client_id: ClientId, *, audience: AudienceName = NATS, ttl: int = 300, age: int = 0) -> str:
        """As it was made `age` seconds ago for `ttl` seconds."""
        ports, stream = self.world.ports, client.stream(client_id)
        tx = await read_states(ports, [(client.decider, stream)])
        account = client.registered(tx.state(client.decider, stream))
        claims = machine_claims(account, ports, audience=audience, permissions=account.permissions, ttl=ttl, at=tx.at)
        return await ports.mint.access_token(replace(claims, iat=claims.iat - age, exp=claims.exp - age))


Enter = Callable[..., Awaitable["Entered"]]


class Entered:
    """A connection of a service, and everything that came over it."""

    def __init__(self) -> None:
        self.client = Client()
        self.got: list[tuple[str, bytes]] = []
        self.errors: list[str] = []

    async def subscribe(self, subject: str, *, queue: str = "") -> None:
        async def heard(message: Any) -> None:
            self.got.append((message.subject, message.data))

        await self.client.subscribe(subject, queue=queue, cb=heard)

    async def failed(self, error: Exception) -> None:
        self.errors.append(str(error))

    async def told(self, errors: int) -> None:
        """Wait until the server has said of so many things that they are not allowed, and of no more."""
        await self.settled()
        async with asyncio.timeout(5):
            while len(self.errors) < errors:
                await asyncio.sleep(0.01)
        assert len(self.errors) == errors, self.errors

    async def settled(self) -> None:
        """Wait until the server has done all that was asked of it before."""
        await settled(self.client)


async def until_answered(server: NatsServer) -> None:
    """Wait until somebody hears what the server asks."""
    async with asyncio.timeout(10):
        while True:
            stranger = Client()
            try:
                async with asyncio.timeout(0.5):
                    await stranger.connect(server.url, token="guess", allow_reconnect=False, error_cb=_keep_quiet)
            except (Error, TimeoutError) as no:
                if "Authorization Violation" in str(no):
                    return
            finally:
                await stranger.close()


async def _keep_quiet(_: Exception) -> None:
    pass


@pytest.fixture(scope="session")
def callout_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="minos-callout-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
async def authority(postgres_server: PostgresServer, callout_folder: Path) -> AsyncIterator[Authority]:
    connection = await asyncpg.connect(postgres_server.superuser_url)
    await connection.execute("CREATE DATABASE callout TEMPLATE minos OWNER minos_owner STRATEGY FILE_COPY")
    database, server = database_of(postgres_server, "callout"), NatsServer(callout_folder / "nats")
    await server.start()
    settings = replace(
        settings_for(database, callout_folder),
        nats_url=Secret(server.url),
        nats_credentials=server.credentials,
        nats_callout_issuer=Secret(server.callout_issuer.read_text()),
        nats_callout_xkey=Secret(server.callout_xkey.read_text()),
    )
    code = await prepare(settings, owner_url=database.owner_url)
    assert code is not None
    async with AsyncExitStack() as closing:
        closing.push_async_callback(connection.close)
        closing.push_async_callback(server.kill)  # which waits for nobody who was still to be asked about
        edge = create(settings)
        transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
        await closing.enter_async_context(lifespan(edge))
        http = await closing.enter_async_context(httpx.AsyncClient(transport=transport, base_url=BASE))
        await until_open(edge)
        served = Served(edge, http, database, code)
        closing.push_async_callback(served.close)
        minos = await nats.connect(server.url, reconnect_time_wait=0.1, **proof(server.credentials))
        closing.push_async_callback(minos.close)
        await until_answered(server)
        for name, subjects in SUBJECTS.items():
            config = StreamConfig(name=name, subjects=subjects, allow_direct=True, max_msgs_per_subject=1)
            await minos.jetstream().add_stream(config)
        yield Authority(served, server, minos, door_of(served.world, settings), asking_of(settings))


def door_of(world: World, settings: Settings) -> Door:
    async def none_known() -> list[AudienceName]:
        return []

    issuer, xkey = settings.nats_callout_issuer, settings.nats_callout_xkey
    assert issuer is not None
    assert xkey is not None
    return Door(Callout(issuer, xkey), world.tokens, world.ports, none_known)


def asking_of(settings: Settings) -> Server:
    issuer, xkey = settings.nats_callout_issuer, settings.nats_callout_xkey
    assert issuer is not None
    assert xkey is not None
    return Server(issuer=public_key(issuer.reveal()), xkey=public_key(xkey.reveal()))


@pytest.fixture
async def enter(authority: Authority) -> AsyncIterator[Enter]:
    """Connect with what is given, as often as wanted."""
    came: list[Entered] = []

    async def come(*, name: ClientId | str = "", **shown: Any) -> Entered:
        entered = Entered()
        prefix = {"inbox_prefix": f"_INBOX_{name}".encode()} if name else {}
        options: dict[str, Any] = {"allow_reconnect": False, "error_cb": entered.failed, **prefix, **shown}
        came.append(entered)
        await entered.client.connect(authority.server.url, **options)
        return entered

    yield come
    for entered in came:
        await entered.client.close()
