"""A log, a second place, and integrators of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import pytest

from adapters import master_key, published
from adapters.checkpoint_key import CheckpointSigner, open_signer
from adapters.leaves import leaf_bytes
from adapters.log_reader import LogReader
from adapters.postgres_links import Links
from adapters.published import Published
from adapters.second_place import FolderPlace
from adapters.tree_store import TreeStore
from adapters.wrapping import Wrapping
from domain.tree.checkpoint import Checkpoint, read_checkpoint
from domain.tree.edge import Edge
from domain.tree.note import read_note
from tests.conftest import Database
from tests.tree.dated import moment, write_dated
from workers.integrator import integrator
from workers.integrator.integrator import Integrated, Integrator

MASTER = master_key.of_bytes(b"\x01" * 32)
ISSUER = "https://id.example.org"


@dataclass
class Ground:
    """Everything an integrator works with, and what it said."""

    database: Database
    place: FolderPlace
    links: Links
    signer: CheckpointSigner
    seen: list[Integrated] = field(default_factory=list)
    made: list[Integrator] = field(default_factory=list)

    def integrator(self, place: FolderPlace | None = None) -> Integrator:
        """Make one; it is closed with the ground."""
        self.made.append(Integrator(self.database.app_url, self.signer, place or self.place, observe=self.seen.append))
        return self.made[-1]

    async def grow(self, events: int) -> None:
        """Add so many events with positions."""
        await write_dated(self.database.owner_url, self.database.app_url, [moment(n) for n in range(events)])

    async def published(self, epoch: int = 1) -> Published:
        found = await published.of_epoch(self.place, epoch)
        assert found is not None
        return found

    async def checkpoint(self, epoch: int = 1) -> Checkpoint:
        return read_checkpoint(read_note((await self.published(epoch)).note).text)

    @property
    def tree(self) -> TreeStore:
        return TreeStore(self.links)

    async def begin_with(self, hashes: Sequence[bytes]) -> None:
        """Begin the log behind full tiles of entries that hashed to these, as if their events were kept elsewhere."""
        full = list(Edge().add(hashes))
        connection = await asyncpg.connect(self.database.superuser_url)
        rows = [(tile.level, tile.tile, tile.hashes, tile.root) for tile in full]
        await connection.copy_records_to_table("log_tiles", records=rows)
        await connection.copy_records_to_table("log_times", records=[(tile.tile, moment(0)) for tile in full if tile.level == 0])
        await connection.execute("UPDATE log_head SET size = $1", len(hashes))
        await connection.execute("INSERT INTO log_partitions VALUES (0, 1, $1, $1, now(), now(), NULL, 0, true, now())", len(hashes))
        await connection.close()

    async def entries(self, after: int = 0) -> Sequence[bytes]:
        reader = LogReader(self.database.app_url)
        page = await reader.read(after, 1_000_000)
        await reader.close()
        return [leaf_bytes(event) for event in page.events]

    async def as_owner(self, *statements: str) -> None:
        """Do what only whoever owns the database can: with the guards off."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture
async def ground(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.0)
    links = Links(database.app_url)
    signer = await open_signer(links, Wrapping([MASTER]), ISSUER)
    ground = Ground(database, FolderPlace(tmp_path / "place"), links, signer)
    yield ground
    for each in ground.made:
        await each.close()
    await links.close()


Rewind = Callable[[], Awaitable[Ground]]


@pytest.fixture
async def backup(ground: Ground) -> AsyncIterator[Rewind]:
    """Call once to take a backup of the database, and again to have a ground on what it was then."""
    name = f"{ground.database.name}_backup"
    admin = await asyncpg.connect(ground.database.superuser_url.replace(f"/{ground.database.name}?", "/postgres?"))
    taken: list[Ground] = []

    async def call() -> Ground:
        if not taken:
            await ground.links.close()
            for each in ground.made:
                await each.close()
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {ground.database.name} OWNER minos_owner STRATEGY FILE_COPY")
            urls = {
                of: getattr(ground.database, of).replace(f"/{ground.database.name}?", f"/{name}?")
                for of in ("app_url", "owner_url", "superuser_url")
            }
            database = Database(name=name, **urls)
            taken.append(replace(ground, database=database, links=Links(database.app_url), seen=[], made=[]))
        return taken[0]

    yield call
    for each in taken:
        await each.links.close()
        for worker in each.made:
            await worker.close()
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()


async def settle(worker: Integrator) -> None:
    """Step until there is nothing more to add."""
    while await worker.step():
        pass
