"""A thief has asked for a change of address with a session that was proved; its owner ends that session, or enrols a factor."""

import pytest
from msgspec.structs import replace

from api.policy import FRESH
from commands.revoke_session import RevokeSession, revoke_session
from commands.step_up import require_proof
from domain.errors import MailTokenInvalid
from tests.commands.authenticator import enrolled
from tests.commands.conftest import hasher, world
from tests.commands.test_authority import me
from tests.commands.test_change_email import PROVED, ada, ask, confirm
from tests.commands.world import World

__all__ = ["hasher", "world"]


async def test_ending_the_session_it_was_asked_in_ends_it(world: World) -> None:
    user_id, stolen = await ada(world)
    owner = await world.ctx(await world.sign_in("ada", PROVED))
    waits = await ask(world, stolen)
    await revoke_session(RevokeSession(session_id=me(stolen).session_id), owner, world.ports)
    before = await world.account(user_id)
    with pytest.raises(MailTokenInvalid):
        await confirm(world, waits)
    assert await world.account(user_id) == before


async def test_a_factor_enrolled_since_it_was_asked_for_without_one_ends_it(world: World) -> None:
    _, stolen = await ada(world)
    owner = await world.ctx(await world.sign_in("ada", PROVED))
    proved = replace(stolen, principal=await require_proof(me(stolen), FRESH, world.ports))
    waits = await ask(world, proved)
    await enrolled(owner, world)
    with pytest.raises(MailTokenInvalid):
        await confirm(world, waits)
