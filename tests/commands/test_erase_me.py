"""ACC-22, the asking: a wait in which it can be withdrawn, then the account is deleted for good."""

import asyncio

import pytest

from commands.context import Context
from commands.delete_user import DeleteUser, RestoreUser, delete_user, release_names, restore_user
from commands.erase_me import ask_for_erasure, begin_erasure, withdraw_erasure
from commands.grant_role import GrantRole, grant_role
from commands.read_profile import read_profile
from domain import errors
from domain.api_key import ApiKeyRevoked
from domain.erasure_events import ErasureAsked, ErasureBegun
from domain.user_events import UserDeleted
from tests.commands.test_api_keys import READ, own_key, supporter
from tests.commands.test_authority import ADMIN, admins, me
from tests.commands.world import SYSTEM, World

WEEK = 7 * 86_400


async def test_until_it_is_due_everything_goes_on_and_then_the_account_is_gone(world: World) -> None:
    ctx = await world.enter("ada")
    user_id = me(ctx).user_id
    due_at = (await ask_for_erasure(ctx, world.ports)).result.due_at
    assert (await read_profile(user_id, world.ports)).erasure_due_at == due_at
    world.clock.forward(WEEK - 1)
    assert not await begin_erasure(user_id, SYSTEM, world.ports)
    await world.sign_in("ada")
    world.clock.forward(1)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    with pytest.raises(errors.InvalidCredentials):
        await world.sign_in("ada")
    with pytest.raises(errors.RestoreTooLate):
        await restore_user(RestoreUser(user_id=user_id), SYSTEM, world.ports)
    assert await release_names(user_id, SYSTEM, world.ports)
    assert await world.register("ada") != user_id


async def test_asking_again_gives_the_same_date_and_writes_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    first = await ask_for_erasure(ctx, world.ports)
    world.clock.forward(60)
    assert (await ask_for_erasure(ctx, world.ports)).result == first.result
    assert len(world.happened(ErasureAsked)) == 1


async def test_who_thinks_better_of_it_keeps_the_account(world: World) -> None:
    ctx = await world.enter("ada")
    await ask_for_erasure(ctx, world.ports)
    await withdraw_erasure(ctx, world.ports)
    assert (await read_profile(me(ctx).user_id, world.ports)).erasure_due_at is None
    world.clock.forward(WEEK)
    assert not await begin_erasure(me(ctx).user_id, SYSTEM, world.ports)
    with pytest.raises(errors.NoErasureAsked):
        await withdraw_erasure(await world.ctx(await world.sign_in("ada")), world.ports)


async def test_withdrawing_and_beginning_at_once_never_do_both(world: World) -> None:
    await world.register("ada")
    ctx = await world.ctx(await world.sign_in("ada"))
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(WEEK)
    ctx = await world.ctx(await world.sign_in("ada"))
    answers = await asyncio.gather(
        withdraw_erasure(ctx, world.ports), begin_erasure(me(ctx).user_id, SYSTEM, world.ports), return_exceptions=True
    )
    begun = bool(world.happened(ErasureBegun))
    assert begun == bool(world.happened(UserDeleted)) == isinstance(answers[0], errors.Refused)


async def test_api_keys_end_with_it(world: World) -> None:
    user_id, ctx = await supporter(world)
    await own_key(world, ctx, READ)
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(WEEK)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    assert len(world.happened(ApiKeyRevoked)) == 1


async def test_the_last_administrator_stays_whether_asking_or_due(world: World, admin: Context) -> None:
    with pytest.raises(errors.LastAdminProtected):
        await ask_for_erasure(admin, world.ports)
    ada = await world.enter("ada")
    await grant_role(GrantRole(user_id=me(ada).user_id, role=ADMIN), SYSTEM, world.ports)
    ada = await world.ctx(await world.sign_in("ada"))
    await ask_for_erasure(ada, world.ports)
    await delete_user(DeleteUser(user_id=me(admin).user_id), SYSTEM, world.ports)
    world.clock.forward(WEEK)
    with pytest.raises(errors.LastAdminProtected):
        await begin_erasure(me(ada).user_id, SYSTEM, world.ports)
    assert await admins(world) == {me(ada).user_id}
    assert not world.happened(ErasureBegun)


async def test_an_account_that_was_deleted_meanwhile_does_not_come_back_once_it_has_begun(world: World) -> None:
    ctx = await world.enter("ada")
    user_id = me(ctx).user_id
    await ask_for_erasure(ctx, world.ports)
    world.clock.forward(60)
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.restore_period - 60)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    with pytest.raises(errors.RestoreTooLate):
        await restore_user(RestoreUser(user_id=user_id), SYSTEM, world.ports)
    assert len(world.happened(UserDeleted)) == 1
