"""A row that is there takes longer to find, decode and decrypt than one that is missing: 0.1 ms told accounts from made-up names."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.bootstrap import CreateAdministrator, create_administrator
from commands.ports import ClaimMac, Heads, Holding, StoredHead
from domain.errors import InvalidCredentials
from domain.event import Erased, Sealed
from domain.ids import StreamName
from tests.commands.world import PASSWORD, SYSTEM, World, make_world


class WatchedStore:
    """Notes what was there of what was asked for, by the kind of stream."""

    def __init__(self, inner: Any, found: list[str]) -> None:
        self._inner, self._found = inner, found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        heads: Heads = await self._inner.load(streams)
        self._note(heads.heads)
        return heads

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        found: Holding = await self._inner.find_holder(candidates, categories=categories, also=also)
        self._note(found.heads)
        return found

    def _note(self, heads: Sequence[StoredHead]) -> None:
        self._found += [head.stream.partition("-")[0] for head in heads if head.version]


class WatchedVault:
    def __init__(self, inner: Any, found: list[str]) -> None:
        self._inner, self._found = inner, found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def open(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased:
        opened: str | Erased = await self._inner.open(sealed, stream=stream, field=field)
        self._found.append(f"{field} {type(opened).__name__}")
        return opened


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    world = await make_world(hasher)
    await create_administrator(CreateAdministrator(email="root@example.org", password=PASSWORD), SYSTEM, world.ports)
    await world.register("ada")
    yield world
    hasher.close()


async def found_for(world: World, name: str) -> list[str]:
    found: list[str] = []
    ports = world.ports
    world.use(store=WatchedStore(ports.store, found), vault=WatchedVault(ports.vault, found))
    with pytest.raises(InvalidCredentials):
        await world.sign_in(name, "wrong horse battery")
    world.ports = ports
    return found


async def test_as_much_is_there_for_an_unknown_name_as_for_a_known_one(world: World) -> None:
    known, unknown = await found_for(world, "ada"), await found_for(world, "nobody")
    assert known == ["user", "password str"]
    assert unknown == known


async def test_what_stands_in_lets_nobody_in(world: World) -> None:
    with pytest.raises(InvalidCredentials):
        await world.sign_in("nobody", PASSWORD)
    await world.sign_in("root", PASSWORD)


async def test_failures_of_unknown_names_lock_no_administrator(world: World) -> None:
    for number in range(12):
        with pytest.raises(InvalidCredentials):
            await world.sign_in("nobody" if number % 2 else f"nobody{number}", PASSWORD)
    await world.sign_in("root", PASSWORD)
