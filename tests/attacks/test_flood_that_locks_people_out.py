"""While strangers keep the hashers busy, people's own tries are turned away unread; counted, they locked their names for an hour."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.change_password import ChangePassword, change_password
from commands.ports import Verified
from domain.errors import InvalidCredentials, Overloaded, StoreUnavailable
from domain.event import Sealed
from domain.ids import StreamName
from domain.sign_in_guard import DELAY_AFTER, SignInLocked
from tests.commands.world import PASSWORD, World, make_world


class Busy:
    """The hasher of a flooded service: no place in the queue."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def require_room(self, *, network: str | None = None) -> None:
        """There was room when it was asked for, and none a moment later."""

    async def hash(self, password: str, *, network: str | None = None) -> str:
        raise Overloaded(1)

    async def verify(
        self, encoded: str | None, password: str, *, account: UUID | None = None, network: str | None = None, alike: bool = False
    ) -> Verified:
        raise Overloaded(1)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    world = await make_world(hasher)
    await world.register("ada")
    yield world
    hasher.close()


async def tried_during_a_flood(world: World, times: int, **more: Any) -> None:
    hasher = world.ports.hasher
    world.use(hasher=Busy(hasher))
    for _ in range(times):
        with pytest.raises(Overloaded):
            await world.sign_in("ada", PASSWORD, **more)
    world.use(hasher=hasher)


async def test_tries_that_nobody_looked_at_lock_nobody_out(world: World) -> None:
    await tried_during_a_flood(world, 3 * DELAY_AFTER)
    await world.sign_in("ada")
    assert world.happened(SignInLocked) == []


async def test_nor_do_they_spend_what_a_known_device_has(world: World) -> None:
    device = (await world.sign_in("ada")).device_token
    await tried_during_a_flood(world, 30, device_token=device)
    await world.sign_in("ada", device_token=device)


async def test_nor_do_they_lock_who_is_signed_in_out_of_their_password(world: World) -> None:
    ctx = await world.ctx(await world.sign_in("ada"))
    wish = ChangePassword(current_password=PASSWORD, new_password="another battery, another horse")
    hasher = world.ports.hasher
    world.use(hasher=Busy(hasher))
    for _ in range(3 * DELAY_AFTER):
        with pytest.raises(Overloaded):
            await change_password(wish, ctx, world.ports)
    world.use(hasher=hasher)
    await change_password(wish, ctx, world.ports)


async def test_a_flood_gives_no_guess_back(world: World) -> None:
    for _ in range(DELAY_AFTER - 1):
        with pytest.raises(InvalidCredentials):
            await world.sign_in("ada", "wrong horse battery")
    await tried_during_a_flood(world, 10)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada", "wrong horse battery")
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada")
    await tried_during_a_flood(world, 10)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada")


class Full(Busy):
    """A flooded service that has no room for strangers."""

    def require_room(self, *, network: str | None = None) -> None:
        raise Overloaded(1)


class UntouchedGuard:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the guard was asked to {name}")


async def test_a_device_of_ones_own_is_no_way_past_the_early_refusal_for_another_name(world: World) -> None:
    await world.register("mallory")
    device = (await world.sign_in("mallory")).device_token
    world.use(hasher=Full(world.ports.hasher), guard=UntouchedGuard())
    for name in ("ada", "nobody"):
        with pytest.raises(Overloaded):
            await world.sign_in(name, PASSWORD, device_token=device)


class ClosedVault:
    async def open(self, sealed: Sealed, *, stream: StreamName, field: str) -> str:
        raise StoreUnavailable


async def test_a_store_that_is_away_locks_nobody_out_of_their_password(world: World) -> None:
    ctx = await world.ctx(await world.sign_in("ada"))
    wish = ChangePassword(current_password=PASSWORD, new_password="another battery, another horse")
    vault = world.ports.vault
    world.use(vault=ClosedVault())
    for _ in range(3 * DELAY_AFTER):
        with pytest.raises(StoreUnavailable):
            await change_password(wish, ctx, world.ports)
    world.use(vault=vault)
    await change_password(wish, ctx, world.ports)
