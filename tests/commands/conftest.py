"""One world for each test, in memory: nothing here starts a server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.refusals import RefusalFloor
from commands.bootstrap import CreateAdministrator, create_administrator
from commands.context import Context
from tests.commands.world import PASSWORD, SYSTEM, World, make_world


@pytest.fixture(scope="session")
async def hashing() -> AsyncIterator[Argon2Hasher]:
    """The real one, at the least cost Argon2 has. It ends on the loop it was used on."""
    made = Argon2Hasher(memory_kib=8, passes=1, threads=2, queue_limit=10_000)
    yield made
    made.close()
    await asyncio.sleep(0)


@pytest.fixture
def hasher(hashing: Argon2Hasher) -> Argon2Hasher:
    """The one of all tests, that has seen no hash of another cost yet: refusals after one take as long as the dearest of them."""
    hashing._floor = RefusalFloor()
    return hashing


@pytest.fixture
async def world(hasher: Argon2Hasher) -> World:
    return await make_world(hasher)


@pytest.fixture
async def admin(world: World) -> Context:
    """A signed-in administrator, the first."""
    wish = CreateAdministrator(email="root@example.org", password=PASSWORD)
    await create_administrator(wish, SYSTEM, world.ports)
    return await world.ctx(await world.sign_in("root"))
