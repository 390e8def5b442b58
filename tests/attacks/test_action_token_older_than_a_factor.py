"""Somebody makes an action token with a stolen session while its owner has no second factor, and shows it once there is one."""

from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.action_tokens import consume_action_token
from domain.action import ActionConsumed
from domain.errors import ActionTokenInvalid
from tests.api.conftest import Person, Served
from tests.api.test_action_tokens import action_token, call, code
from tests.api.test_factors import add_telephone
from tests.commands.authenticator import enrolled
from tests.commands.test_action_tokens import made, register, service, shown
from tests.commands.world import World, make_world


async def test_it_does_no_more_at_minos_than_the_session_it_is_of(served: Served) -> None:
    owner = await served.person()
    stolen = Person(served.http, owner.email)
    await stolen.sign_in()
    token = await action_token(stolen, "minos:end-my-other-sessions", "DELETE", "/me/sessions")
    await add_telephone(owner)
    assert code(await call(served, stolen, token, "DELETE", "/me/sessions")) == (401, "reauthentication_required")
    assert (await owner.ask("GET", "/auth/session")).status_code == 200


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def test_it_does_nothing_at_a_service_any_more(world: World) -> None:
    owner = await world.enter("ada")
    verifier = await service(world)
    await register(world, verifier)
    stolen = await world.sign_in("ada", audience="tasks")
    early, late = await made(world, stolen), await made(world, stolen)
    await consume_action_token(shown(early, stolen), verifier, world.ports)
    await enrolled(owner, world)
    with pytest.raises(ActionTokenInvalid):
        await consume_action_token(shown(late, stolen), verifier, world.ports)
    assert len(world.happened(ActionConsumed)) == 1
