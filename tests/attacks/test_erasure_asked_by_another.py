"""Whoever had the account asked for its erasure before its owner got it: it must not be erased under them a week later."""

import pytest

from commands.erase_me import ask_for_erasure, begin_erasure
from commands.erase_user import EraseUser, erase_user
from commands.undo_email import UndoEmail, undo_email
from commands.verify_email import VerifyEmail, verify_email, verify_token
from domain.erasure_events import ErasureWithdrawn
from domain.ids import UserId
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, proved
from tests.commands.conftest import hasher, world
from tests.commands.test_authority import me
from tests.commands.test_change_email import ada, ask, confirm, undo_link
from tests.commands.test_erase_me import WEEK
from tests.commands.world import ANYBODY, SYSTEM, World

__all__ = ["hasher", "world"]


async def is_erased(world: World, user_id: UserId) -> bool:
    world.clock.forward(WEEK)
    return await begin_erasure(user_id, SYSTEM, world.ports)


async def verified(world: World, user_id: UserId) -> None:
    token = verify_token(await world.account(user_id), asked_at=world.clock.now, ports=world.ports)
    await verify_email(VerifyEmail(token=token, new_password=NEW), ANYBODY, world.ports)


@pytest.mark.parametrize("way", ["reset", "verify"])
async def test_an_erasure_asked_before_the_first_proof_is_void(world: World, way: str) -> None:
    """Pre-hijack: somebody opens an account for the victim's address, and asks; then the victim proves the address."""
    attacker = await world.enter("ada")
    await ask_for_erasure(attacker, world.ports)
    await (proved(world) if way == "reset" else verified(world, me(attacker).user_id))
    assert not await is_erased(world, me(attacker).user_id)
    assert len(world.happened(ErasureWithdrawn)) == 1


async def test_an_erasure_that_a_thief_asked_for_goes_with_the_address_taken_back(world: World) -> None:
    """The mail about it went to the thief's address."""
    user_id, stolen = await ada(world)
    await confirm(world, await ask(world, stolen))
    world.clock.forward(60)
    await ask_for_erasure(stolen, world.ports)
    await undo_email(UndoEmail(token=await undo_link(world, user_id), new_password=NEW), ANYBODY, world.ports)
    assert not await is_erased(world, user_id)


async def test_an_erasure_that_the_owner_asked_for_stays(world: World) -> None:
    user_id, ctx = await ada(world)
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    await undo_email(UndoEmail(token=await undo_link(world, user_id), new_password=NEW), ANYBODY, world.ports)
    assert await is_erased(world, user_id)


@pytest.mark.parametrize("way", ["reset", "verify", "undo"])
async def test_no_proof_of_an_address_undoes_what_an_administrator_asked_for_and_none_is_refused_for_it(world: World, way: str) -> None:
    """Nor does whoever is to be erased get out of it that way."""
    user_id, stolen = await ada(world) if way == "undo" else (await world.register("ada"), None)
    if stolen is not None:
        await confirm(world, await ask(world, stolen))
    await erase_user(EraseUser(user_id=user_id), SYSTEM, world.ports)
    if way == "undo":
        await undo_email(UndoEmail(token=await undo_link(world, user_id), new_password=NEW), ANYBODY, world.ports)
    else:
        await (proved(world) if way == "reset" else verified(world, user_id))
    assert await is_erased(world, user_id)
