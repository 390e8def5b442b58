"""Somebody got into an account, moved it to an address of their own, and has it erased before its owner hears of anything."""

from datetime import timedelta

import pytest

from commands.delete_user import DeleteUser, RestoreUser, delete_user, restore_user
from commands.erase_me import ask_for_erasure, begin_erasure, withdraw_erasure
from commands.read_profile import read_profile
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain.address_change import UNDO_TTL
from domain.erasure_events import ErasureBegun, ErasurePostponed
from domain.errors import InvalidCredentials
from domain.user_events import SuspendReason
from tests.attacks.test_address_changed_by_a_thief import take_back
from tests.attacks.test_reset_that_skips_the_second_factor import NEW
from tests.commands.conftest import hasher, world
from tests.commands.test_change_email import PROVED, ada, ask, confirm, moved, undo_link
from tests.commands.world import SYSTEM, World

__all__ = ["hasher", "world"]


async def test_nothing_is_erased_while_its_owner_can_still_take_the_account_back(world: World) -> None:
    world.set_policy(erasure_wait=60)
    user_id, theirs = await moved(world)
    token = await undo_link(world, user_id)
    await ask_for_erasure(theirs, world.ports)
    world.clock.forward(UNDO_TTL - 1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await take_back(world, token)
    assert (await read_profile(user_id, world.ports)).erasure_due_at is None
    world.clock.forward(UNDO_TTL)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    assert (await world.sign_in("ada", NEW)).user_id == user_id
    assert not world.happened(ErasureBegun)


async def test_what_the_owner_asked_for_before_stays_asked_for(world: World) -> None:
    user_id, ctx = await ada(world)
    due_at = (await ask_for_erasure(ctx, world.ports)).result.due_at
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    await take_back(world, await undo_link(world, user_id))
    assert (await read_profile(user_id, world.ports)).erasure_due_at == due_at


async def test_what_has_to_wait_is_due_no_more_and_holds_nobody_up(world: World) -> None:
    """Whoever moves many accounts after asking: a batch full of what cannot begin yet would keep everybody else's from it for days."""
    world.set_policy(erasure_wait=60)
    user_id, ctx = await ada(world)
    await ask_for_erasure(ctx, world.ports)
    at = world.clock.now
    await confirm(world, await ask(world, ctx))
    world.clock.forward(60)
    for _ in range(2):
        assert not await begin_erasure(user_id, SYSTEM, world.ports)
    assert (await read_profile(user_id, world.ports)).erasure_due_at == at + timedelta(seconds=UNDO_TTL)
    assert len(world.happened(ErasurePostponed)) == 1
    world.clock.forward(UNDO_TTL - 60)
    assert await begin_erasure(user_id, SYSTEM, world.ports)


async def test_it_begins_once_nothing_can_be_taken_back(world: World) -> None:
    world.set_policy(erasure_wait=60)
    user_id, theirs = await moved(world)
    await ask_for_erasure(theirs, world.ports)
    world.clock.forward(UNDO_TTL)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("lovelace", NEW)


async def test_nothing_is_erased_for_a_month_while_its_owner_is_suspended_and_cannot_withdraw_it(world: World) -> None:
    """The account was broken into, an administrator has stopped it, and the owner gets it back."""
    user_id, ctx = await ada(world)
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(60)
    await suspend_user(SuspendUser(user_id=user_id, reason=SuspendReason.COMPROMISED), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.restore_period - 61)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await reinstate_user(ReinstateUser(user_id=user_id), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.erasure_wait - 1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await withdraw_erasure(await world.ctx(await world.sign_in("ada", PROVED)), world.ports)
    world.clock.forward(1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)


async def test_nothing_is_erased_for_a_month_while_its_owner_was_deleted_and_cannot_withdraw_it(world: World) -> None:
    """An administrator did it to stop the thief, and thinks better of it."""
    user_id, ctx = await ada(world)
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(60)
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.restore_period - 61)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await restore_user(RestoreUser(user_id=user_id), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.erasure_wait - 1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await withdraw_erasure(await world.ctx(await world.sign_in("ada", PROVED)), world.ports)
    world.clock.forward(1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)


async def test_it_is_put_off_and_not_forgotten(world: World) -> None:
    user_id, ctx = await ada(world)
    at = world.clock.now
    asked = (await ask_for_erasure(ctx, world.ports)).result.due_at
    world.clock.forward(60)
    await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)
    due_at = (await read_profile(user_id, world.ports)).erasure_due_at
    assert due_at == at + timedelta(seconds=world.ports.policy.restore_period) > asked
    await reinstate_user(ReinstateUser(user_id=user_id), SYSTEM, world.ports)
    assert (await read_profile(user_id, world.ports)).erasure_due_at == due_at
    world.clock.forward(world.ports.policy.restore_period)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
