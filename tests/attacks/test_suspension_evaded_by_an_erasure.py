"""Somebody asks to be erased, is suspended, and registers anew with the same address once their account is gone."""

import pytest

from commands.delete_user import DeleteUser, delete_user, release_names
from commands.erase_me import ask_for_erasure, begin_erasure
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain.errors import EmailTaken, InvalidCredentials, NoSuchUser
from domain.ids import UserId
from domain.user_events import NamesReleased, UserDeleted, UserReinstated
from tests.commands.conftest import hasher, world
from tests.commands.test_authority import me
from tests.commands.world import SYSTEM, World

__all__ = ["hasher", "world"]
KEPT = 365 * 86_400


async def erased(world: World) -> UserId:
    """Somebody whose erasure began while they were suspended."""
    ctx = await world.enter("ada")
    user_id = me(ctx).user_id
    await ask_for_erasure(ctx, world.ports)
    await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)
    world.clock.forward(world.ports.policy.restore_period)
    assert await begin_erasure(user_id, SYSTEM, world.ports)
    return user_id


async def test_they_are_erased_and_their_names_are_nobodys(world: World) -> None:
    user_id = await erased(world)
    assert world.happened(UserDeleted)
    world.clock.forward(KEPT - 1)
    assert not await release_names(user_id, SYSTEM, world.ports)
    with pytest.raises(EmailTaken):
        await world.register("ada")
    world.clock.forward(1)
    assert await release_names(user_id, SYSTEM, world.ports)
    assert await world.register("ada") != user_id


async def test_an_administrator_lets_them_come_again_and_the_account_stays_gone(world: World) -> None:
    user_id = await erased(world)
    await reinstate_user(ReinstateUser(user_id=user_id), SYSTEM, world.ports)
    assert len(world.happened(NamesReleased)) == 1
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada")
    assert await world.register("ada") != user_id
    with pytest.raises(NoSuchUser):
        await reinstate_user(ReinstateUser(user_id=user_id), SYSTEM, world.ports)
    with pytest.raises(EmailTaken):
        await world.register("ada")
    assert not world.happened(UserReinstated)


async def test_what_an_administrator_deleted_is_not_reinstated(world: World) -> None:
    user_id = await world.register("ada")
    await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    with pytest.raises(NoSuchUser):
        await reinstate_user(ReinstateUser(user_id=user_id), SYSTEM, world.ports)
    assert not world.happened(NamesReleased)
