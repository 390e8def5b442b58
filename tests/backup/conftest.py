"""A prepared authority with an account, an empty database beside it, and what it takes to copy one into the other."""

import base64
from argparse import Namespace
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.embedded_postgres import PostgresServer
from adapters.ports import open_ports
from adapters.secret import Secret
from adapters.settings import Settings
from cli.first_start import prepare
from commands.context import Context
from commands.register_user import RegisterUser, register_user
from domain.ids import CorrelationId
from tests.conftest import Database, copied, database_of
from workers.backup import manifest as files
from workers.backup.making import Made, Making, make
from workers.sequencer import Sequencer

ANYBODY = Context(correlation_id=CorrelationId(UUID(int=2)), network="192.0.2.0/24")
EMPTY = files.Manifest(
    made_at=datetime(2026, 11, 26, tzinfo=UTC), release="", issuer="", postgres=18, migrations=1, epoch=1, size=0, checkpoint=0,
    roles=[], tables={}, files={}, pieces=[],
)  # fmt: skip
PASSWORD = "correct horse battery staple"


def settings_of(database: Database, folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        issuer="http://127.0.0.1:8000",
        database_url=Secret(database.app_url),
        migration_database_url=Secret(database.owner_url),
        backup_database_url=Secret(database.superuser_url),
        master_key=Secret(base64.b64encode(b"\x01" * 32).decode()),
        argon2_memory_kib=7_168,
        argon2_passes=1,
    )


async def register(settings: Settings, email: str) -> None:
    """And have what it brought about get its positions."""
    assert settings.database_url is not None
    async with open_ports(settings) as opened:
        await register_user(RegisterUser(email=email, password=PASSWORD), ANYBODY, opened.ports)
    sequencer = Sequencer(settings.database_url.reveal())
    while (step := await sequencer.step()) is not None and step.added:
        pass
    await sequencer.close()


@pytest.fixture(scope="session")
async def furnished(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Settings, Database]]:
    """Only ever copied from."""
    async with copied(postgres_server) as database:
        settings = settings_of(database, tmp_path_factory.mktemp("furnished"))
        await prepare(settings, owner_url=database.owner_url)
        await register(settings, "ada@example.org")
        yield settings, database


@pytest.fixture
async def serving(postgres_server: PostgresServer, furnished: tuple[Settings, Database]) -> AsyncIterator[Database]:
    """A copy in which something may happen."""
    async with copied(postgres_server, furnished[1].name) as database:
        yield database


@pytest.fixture
def settings(furnished: tuple[Settings, Database], tmp_path: Path) -> Settings:
    """With a second place of the test's own."""
    return replace(furnished[0], second_place=str(tmp_path / "second-place"))


@pytest.fixture(scope="session")
async def made(furnished: tuple[Settings, Database], tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A backup that is only looked at."""
    return await make(making(furnished[0], tmp_path_factory.mktemp("backups"), months=True))


def making(settings: Settings, parent: Path, *, months: bool = False) -> Making:
    assert settings.backup_database_url is not None
    return Making(url=settings.backup_database_url.reveal(), parent=parent, settings=settings, release="0.0.0", months=months)


@pytest.fixture
async def empty(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute("CREATE DATABASE empty OWNER minos_owner")
    yield database_of(postgres_server, "empty")
    await superuser.execute("DROP DATABASE empty WITH (FORCE)")
    await superuser.close()


def leading_to(settings: Settings, database: Database) -> Settings:
    return replace(
        settings,
        database_url=Secret(database.app_url),
        migration_database_url=Secret(database.owner_url),
        backup_database_url=Secret(database.superuser_url),
    )


def arguments(backup: Path, **more: bool) -> Namespace:
    return Namespace(backup=backup, **{"with_months": False, "quick": False, "json": False} | more)
