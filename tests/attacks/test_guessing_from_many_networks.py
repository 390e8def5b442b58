"""One account, tried from networks without end: each has to wait, and its owner gets in from where they are at home."""

from collections.abc import AsyncIterator

import pytest

from adapters.guard import KNOWN_NETWORK_TTL, KNOWN_NETWORKS, OWN_BUDGET
from adapters.hashing.hasher import Argon2Hasher
from commands.change_password import ChangePassword, change_password
from domain.errors import InvalidCredentials
from domain.sign_in_guard import DELAY_AFTER, MOST_FAILURES, WAITS, SignInLocked
from tests.commands.world import HOME, PASSWORD, World, make_world

NETWORKS = [f"203.0.{n}.0/24" for n in range(113, 143)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    world = await make_world(hasher)
    await world.register("ada")
    yield world
    hasher.close()


async def gets_in(world: World, password: str = PASSWORD, *, network: str | None = HOME) -> bool:
    try:
        await world.show_password("ada", password, network=network)
    except InvalidCredentials:
        return False
    return True


async def attacked(world: World) -> None:
    """From thirty networks, once each, as often as the waits allow, until no password is looked at for a day."""
    for n in range(MOST_FAILURES + DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=NETWORKS[n % len(NETWORKS)])
        world.clock.forward(WAITS[-1] + 1)


async def test_from_many_networks_a_name_is_tried_no_more_often_than_from_one(world: World) -> None:
    for network in NETWORKS:
        assert not await gets_in(world, "wrong horse battery", network=network)
    assert not await gets_in(world, network="198.51.100.0/24")
    assert len(world.happened(SignInLocked)) == 1


async def test_its_owner_gets_in_from_a_network_they_signed_in_from_without_any_device(world: World) -> None:
    await world.sign_in("ada")
    await attacked(world)
    assert not await gets_in(world, network=NETWORKS[0])
    assert await gets_in(world)


async def test_that_gives_the_attackers_nothing_back(world: World) -> None:
    await world.sign_in("ada")
    await attacked(world)
    assert await gets_in(world)
    assert not await gets_in(world, network=NETWORKS[0])


async def test_who_is_in_the_owners_network_has_few_tries_and_then_waits_with_the_others(world: World) -> None:
    await world.sign_in("ada")
    await attacked(world)
    for _ in range(OWN_BUDGET):
        assert not await gets_in(world, "wrong horse battery")
    assert not await gets_in(world)


async def test_a_new_password_makes_every_network_strange(world: World) -> None:
    """Whoever knew the old one may have signed in from theirs."""
    await world.show_password("ada", network=NETWORKS[0])
    ctx = await world.ctx(await world.sign_in("ada"))
    changed = "another battery, another horse"
    await change_password(ChangePassword(current_password=PASSWORD, new_password=changed), ctx, world.ports)
    for _ in range(DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=NETWORKS[1])
    assert not await gets_in(world, changed, network=NETWORKS[0])


async def test_only_the_last_networks_are_known_so_that_guesses_stay_few(world: World) -> None:
    for n in range(KNOWN_NETWORKS + 1):
        await world.show_password("ada", network=NETWORKS[n])
    for _ in range(DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=NETWORKS[-1])
    assert [await gets_in(world, network=network) for network in NETWORKS[: KNOWN_NETWORKS + 1]] == [False] + [True] * KNOWN_NETWORKS


async def test_a_network_is_not_known_for_ever(world: World) -> None:
    await world.sign_in("ada")
    world.clock.forward(KNOWN_NETWORK_TTL + 1)
    for _ in range(DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=NETWORKS[0])
    assert not await gets_in(world)


async def test_a_failed_try_makes_no_network_known(world: World) -> None:
    for _ in range(DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=NETWORKS[0])
    assert not await gets_in(world, network=NETWORKS[0])


async def test_an_address_that_is_not_known_is_no_network(world: World) -> None:
    assert await gets_in(world, network=None)
    for _ in range(DELAY_AFTER):
        assert not await gets_in(world, "wrong horse battery", network=None)
    assert not await gets_in(world, network=None)
