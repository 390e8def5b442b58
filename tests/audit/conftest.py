"""One small log with all that is made of it, written once; each test that falsifies something has a copy of its own."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from adapters import master_key
from adapters.checkpoint_key import CheckpointSigner, open_signer
from adapters.embedded_postgres import PostgresServer
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from bench import fill
from tests.conftest import Database, database_of
from workers.audit.verify import Asked, Report, verify
from workers.integrator import integrator
from workers.integrator.integrator import Integrator
from workers.projector import Projector

ISSUER = "https://id.example.org"
SIZE = 600
STEP = 100
"""A checkpoint is published each so many entries."""

_numbers = count(1)


@dataclass(frozen=True)
class Audited:
    database: Database
    place: Path
    signer: CheckpointSigner

    async def verify(self, **more: object) -> Report:
        """A few streams at a time, so that there are many ranges of them."""
        asked = Asked(url=self.database.app_url, second_place=FolderPlace(self.place), streams_at_once=9)
        return await verify(replace_asked(asked, **more))

    async def as_owner(self, *statements: str) -> None:
        """Do what only whoever owns the database can: with the guards off."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def value(self, statement: str) -> object:
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def integrator(self) -> Integrator:
        return Integrator(self.database.app_url, self.signer, FolderPlace(self.place))


def replace_asked(asked: Asked, **more: object) -> Asked:
    from msgspec.structs import replace

    return replace(asked, **more)


async def copied(server: PostgresServer, name: str, template: str) -> Database:
    connection = await asyncpg.connect(server.superuser_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER minos_owner STRATEGY FILE_COPY")
    finally:
        await connection.close()
    return database_of(server, name)


@pytest.fixture(scope="session")
async def audited(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """What nobody has falsified: read it, change nothing."""
    database = await copied(postgres_server, "audited", "minos")
    place = tmp_path_factory.mktemp("second") / "place"
    await fill.real_histories(database.owner_url, SIZE)
    links = Links(database.app_url)
    signer = await open_signer(links, Wrapping([master_key.of_bytes(b"\x01" * 32)]), ISSUER)
    await links.close()
    audited = Audited(database, place, signer)
    projector = Projector(database.app_url)
    await projector.begin()
    while await projector.step():
        pass
    await projector.close()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(integrator, "PUBLISH_SECONDS", 0.0)
        patched.setattr(integrator, "MOST_EVENTS", STEP)
        grown = audited.integrator()
        while await grown.step():
            pass
        await grown.close()
    return audited


@pytest.fixture
async def falsified(postgres_server: PostgresServer, audited: Audited, tmp_path: Path) -> AsyncIterator[Audited]:
    """A copy to be falsified."""
    name = f"falsified_{next(_numbers)}"
    shutil.copytree(audited.place, tmp_path / "place")
    copy = await copied(postgres_server, name, audited.database.name)
    yield replace(audited, database=copy, place=tmp_path / "place")
    connection = await asyncpg.connect(postgres_server.superuser_url)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
