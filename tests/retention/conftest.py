"""A log with sessions that are over, hashed, read by its projector, and kept small by its owner."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import asyncpg
import pytest

from adapters.leaves import leaf_bytes
from adapters.log_reader import LogReader
from commands.ports import StoredEvent
from domain import session
from domain.ids import SessionId, UserId
from domain.session_events import EndReason, SessionRevoked
from domain.tree.hashing import leaf_hash, perfect_root
from tests.conftest import Database
from tests.projections import conftest as projecting
from tests.projections.conftest import World
from tests.projections.histories import issued, now, started, uuid7
from tests.tree.unsigned import name_the_log, store_unsigned
from workers.retention.keeping import Kept, keep_small

world = projecting.world
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


@dataclass
class Retention:
    world: World
    database: Database
    owner: "asyncpg.Connection[asyncpg.Record]"

    async def ended_session(self, refreshes: int = 60) -> SessionId:
        session_id, user_id = await self.live_session(refreshes)
        await self.world.scribe.write(
            session.stream(session_id), SessionRevoked(session_id=session_id, user_id=user_id, reason=EndReason.LOGOUT, at=now())
        )
        return session_id

    async def live_session(self, refreshes: int = 60) -> tuple[SessionId, UserId]:
        session_id, user_id = SessionId(uuid7()), UserId(uuid7())
        tokens = [issued(session_id, user_id, n, ttl=10**7) for n in range(1, refreshes + 1)]
        await self.world.scribe.write(session.stream(session_id), started(session_id, user_id, ttl=10**7), *tokens)
        return session_id, user_id

    async def hash(self) -> None:
        """Give all there is a position, project it, and store the tiles and a checkpoint of it."""
        await self.world.project()
        events = await self.log()
        app = self.world.connection
        for tile in range(len(events) // 256):
            these = events[tile * 256 : tile * 256 + 256]
            if any(event.pruned for event in these):
                continue
            hashes = [leaf_hash(leaf_bytes(event)) for event in these]
            values = tile, b"".join(hashes), perfect_root(hashes), these[-1].recorded_at
            await app.execute(
                "SELECT store_tiles('{0}', ARRAY[$1::bigint], ARRAY[$2::bytea], ARRAY[$3::bytea], ARRAY[$4::timestamptz])", *values
            )
        await name_the_log(app)
        await store_unsigned(app, len(events), sha256(b"%d" % len(events)).digest())

    async def log(self) -> Sequence[StoredEvent]:
        reader = LogReader(self.database.app_url)
        try:
            return (await reader.read(0, 100_000)).events
        finally:
            await reader.close()

    async def run(self, *, close_before: datetime | None = None, over_before: datetime | None = None, dry: bool = False) -> Sequence[Kept]:
        return await keep_small(self.database.owner_url, close_before=close_before or LONG_AGO, over_before=over_before or soon(), dry=dry)

    async def whole_log(self) -> list[SessionId]:
        """Five sessions that are over, all of them in the first partition, which is closed and sealed; some more behind it."""
        ended = [await self.ended_session() for _ in range(5)]
        await self.hash()
        await self.run(close_before=soon(), over_before=LONG_AGO)
        await self.live_session(3)
        await self.world.project()
        return ended


@pytest.fixture
async def retention(world: World, database: Database) -> AsyncIterator[Retention]:
    owner = await asyncpg.connect(database.owner_url)
    try:
        yield Retention(world, database, owner)
    finally:
        await owner.close()
