"""A flood of sign-ins is turned away before it costs the database anything; who was here before is let through to the queue."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.sign_in import SignIn, sign_in
from domain.errors import InvalidCredentials, Overloaded
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, PASSWORD, World, make_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8_192, passes=4, threads=1, queue_limit=3)
    world = await make_world(hasher)
    await world.register("ada")
    yield world
    hasher.close()


async def test_strangers_who_find_the_queue_full_cost_no_read(world: World) -> None:
    device = (await world.sign_in("ada")).device_token
    calls: list[str] = []
    holding = [asyncio.create_task(world.ports.hasher.verify(None, "x")) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.use(store=Recording("store", world.ports.store, calls), guard=Recording("guard", world.ports.guard, calls))

    with pytest.raises(Overloaded):
        await sign_in(SignIn(email="ada@example.org", password=PASSWORD), ANYBODY, world.ports)
    with pytest.raises(Overloaded):
        await sign_in(SignIn(email="ada@example.org", password=PASSWORD, device_token="mdv_made-up"), ANYBODY, world.ports)
    assert calls == []

    await sign_in(SignIn(email="ada@example.org", password=PASSWORD, device_token=device), ANYBODY, world.ports)
    assert calls != []
    await asyncio.gather(*holding)


async def test_with_room_a_stranger_is_looked_at(world: World) -> None:
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn(email="nobody@example.org", password=PASSWORD), ANYBODY, world.ports)
