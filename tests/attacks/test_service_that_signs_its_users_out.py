"""A service is handed its users' tokens; with one of them it must not reach the sessions it was never shown."""

from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.sign_out import SignOut, sign_out
from domain.errors import InvalidToken
from tests.api.conftest import Person, Served
from tests.commands.world import ANYBODY, World, make_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def test_a_token_handed_to_a_service_ends_no_session_but_its_own(served: Served) -> None:
    person = await served.person()
    at_orders = Person(served.http, person.email)
    await at_orders.sign_in(audience="orders")
    everywhere = await at_orders.ask("POST", "/auth/logout", json={"everywhere": True})
    assert (everywhere.status_code, everywhere.json()["code"]) == (401, "invalid_token")
    assert [(await who.ask("GET", "/auth/session")).status_code for who in (person, at_orders)] == [200, 200]
    assert (await at_orders.ask("POST", "/auth/logout")).status_code == 204
    assert [(await who.ask("GET", "/auth/session")).status_code for who in (person, at_orders)] == [200, 401]


async def test_whether_its_session_is_over_makes_no_difference(world: World) -> None:
    await world.register("ada")
    claims = await world.claims((await world.sign_in("ada", audience="tasks")).access_token)
    await sign_out(SignOut(), claims, ANYBODY, world.ports)
    before = len(world.memory.log)
    with pytest.raises(InvalidToken):
        await sign_out(SignOut(everywhere=True), claims, ANYBODY, world.ports)
    assert len(world.memory.log) == before
