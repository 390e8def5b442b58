"""Real servers for the tests: one PostgreSQL and one NATS for the session, a fresh migrated database for each test."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from migrations import runner

hypothesis.settings.register_profile("whole", deadline=None, max_examples=60)
hypothesis.settings.register_profile("daily", deadline=None, max_examples=40)
hypothesis.settings.load_profile("daily")
"""How long an example takes says how busy the machine is, and nothing of what is tested. `./minos test` gives each law more examples."""

_numbers = count(1)
_own_folder = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep this session's files in a folder of its own.

    As root the servers run as another user, who must get through to them; and each session that starts closes pytest's shared
    folder to others, under the servers of the sessions that already run.
    """
    if config.option.basetemp is None:
        config.stash[_own_folder] = config.option.basetemp = tempfile.mkdtemp(prefix="minos-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(_own_folder, None):
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Database:
    """One database by its three roles. Each URL holds a password."""

    name: str
    app_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    superuser_url: str = field(repr=False)


def _in_database(url: str, name: str) -> str:
    before, _, rest = url.partition("@/")
    return f"{before}@/{name}?{rest.partition('?')[2]}"


def database_of(server: PostgresServer, name: str = "minos") -> Database:
    """The URLs of one database of a running server."""
    return Database(
        name=name,
        app_url=_in_database(server.app_url, name),
        owner_url=_in_database(server.owner_url, name),
        superuser_url=_in_database(server.superuser_url, name),
    )


async def migrate(database: Database) -> None:
    connection = await asyncpg.connect(database.owner_url)
    try:
        await runner.migrate(connection)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """Not below pytest's own folder: a second run closes that to the system user PostgreSQL runs as under root."""
    with tempfile.TemporaryDirectory(prefix="minos-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
async def postgres_server(servers_folder: Path) -> AsyncIterator[PostgresServer]:
    """The session's server. Its database `minos` is migrated and only ever copied: take `database` instead."""
    server = PostgresServer(servers_folder / "postgres", durable=False)
    await server.start()
    try:
        await migrate(database_of(server))
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def copied(server: PostgresServer, template: str = "minos") -> AsyncGenerator[Database]:
    """A database with what the template has, to which nobody may be connected."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server.superuser_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER minos_owner STRATEGY FILE_COPY")
        yield database_of(server, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """A migrated database with nothing in it, for one test."""
    async with copied(postgres_server) as database:
        yield database


@pytest.fixture
async def durable_server(servers_folder: Path) -> AsyncIterator[PostgresServer]:
    """A migrated server of the test's own that flushes to disk: to be killed."""
    server = PostgresServer(servers_folder / f"durable_{next(_numbers)}")
    await server.start()
    try:
        await migrate(database_of(server))
        yield server
    finally:
        await server.stop()


@pytest.fixture(scope="session")
async def nats_server(servers_folder: Path) -> AsyncIterator[NatsServer]:
    """The session's NATS, JetStream on. Tests take stream names of their own."""
    server = NatsServer(servers_folder / "nats")
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
