"""ADM-03: an account is deleted, comes back in time, or gives its names up; somebody always remains."""

from datetime import timedelta

import pytest

from commands.context import Context
from commands.delete_user import DeleteUser, RestoreUser, delete_user, release_names, restore_user
from commands.forgot_password import begin_reset
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.issue_token import IssueToken, issue_token
from commands.key_holders import identify_key
from commands.read_profile import read_profile
from commands.suspend_user import SuspendUser, suspend_user
from domain import errors
from domain.api_key import ApiKeyRevoked
from domain.ids import UserId
from domain.user_events import NamesReleased, UserDeleted, UserRestored
from tests.commands.test_api_keys import READ, own_key, supporter
from tests.commands.test_authority import ADMIN, EDITOR, SUPPORT, admins, define, enter, me
from tests.commands.world import ANYBODY, SYSTEM, World

MONTH = 30 * 86_400


async def gone(world: World, name: str = "ada") -> UserId:
    user_id = await world.register(name)
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    return user_id


async def test_a_deleted_account_is_out_at_once_and_signs_in_as_an_unknown_one(world: World, admin: Context) -> None:
    ctx = await world.enter("ada")
    signed_in = await world.sign_in("ada")
    await delete_user(DeleteUser(user_id=me(ctx).user_id), admin, world.ports)
    assert not await world.is_live(ctx)
    with pytest.raises(errors.InvalidToken):
        await world.principal(signed_in.access_token)
    with pytest.raises(errors.InvalidRefreshToken):
        await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    with pytest.raises(errors.InvalidCredentials):
        await world.sign_in("ada")
    assert await begin_reset("ada@example.org", world.ports.random.uuid7(), ANYBODY, world.ports) is None


async def test_its_names_are_nobody_elses_until_it_can_no_longer_be_restored(world: World) -> None:
    user_id = await gone(world)
    with pytest.raises(errors.EmailTaken):
        await world.register("ada")
    world.clock.forward(MONTH - 1)
    assert not await release_names(user_id, SYSTEM, world.ports)
    world.clock.forward(1)
    assert await release_names(user_id, SYSTEM, world.ports)
    assert await world.register("ada") != user_id
    await world.sign_in("ada")


async def test_names_are_released_once_and_never_taken_from_their_next_owner(world: World) -> None:
    user_id = await gone(world)
    world.clock.forward(MONTH)
    await release_names(user_id, SYSTEM, world.ports)
    await world.register("ada")
    assert not await release_names(user_id, SYSTEM, world.ports)
    assert len(world.happened(NamesReleased)) == 1
    with pytest.raises(errors.EmailTaken):
        await world.register("ada")


async def test_a_restored_account_signs_in_again_and_its_sessions_stay_ended(world: World, admin: Context) -> None:
    ctx = await world.enter("ada")
    wish = RestoreUser(user_id=me(ctx).user_id)
    await delete_user(DeleteUser(user_id=me(ctx).user_id), admin, world.ports)
    await restore_user(wish, admin, world.ports)
    await restore_user(wish, admin, world.ports)
    assert not await world.is_live(ctx)
    await world.sign_in("ada")
    assert len(world.happened(UserRestored)) == 1


async def test_restoring_too_late_is_refused_and_shows_why(world: World) -> None:
    user_id = await gone(world)
    assert (await read_profile(user_id, world.ports)).restorable_until == world.clock.now + timedelta(seconds=MONTH)
    world.clock.forward(MONTH)
    with pytest.raises(errors.RestoreTooLate):
        await restore_user(RestoreUser(user_id=user_id), SYSTEM, world.ports)
    await release_names(user_id, SYSTEM, world.ports)
    assert (await read_profile(user_id, world.ports)).status == "gone"
    with pytest.raises(errors.RestoreTooLate):
        await restore_user(RestoreUser(user_id=user_id), SYSTEM, world.ports)


async def test_deleting_and_restoring_is_no_way_out_of_a_suspension(world: World, admin: Context) -> None:
    user_id = await world.register("ada")
    await suspend_user(SuspendUser(user_id=user_id), admin, world.ports)
    await delete_user(DeleteUser(user_id=user_id), admin, world.ports)
    await restore_user(RestoreUser(user_id=user_id), admin, world.ports)
    with pytest.raises(errors.InvalidCredentials):
        await world.sign_in("ada")


async def test_api_keys_end_with_the_account_and_do_not_come_back_with_it(world: World, admin: Context) -> None:
    user_id, ctx = await supporter(world)
    key = await own_key(world, ctx, READ)
    await delete_user(DeleteUser(user_id=user_id), admin, world.ports)
    assert len(world.happened(ApiKeyRevoked)) == 1
    await restore_user(RestoreUser(user_id=user_id), admin, world.ports)
    with pytest.raises(errors.InvalidToken):
        await identify_key(key.api_key, world.ports)


async def test_the_last_administrator_is_not_deleted(world: World, admin: Context) -> None:
    for ctx in (admin, SYSTEM):
        with pytest.raises(errors.LastAdminProtected):
            await delete_user(DeleteUser(user_id=me(admin).user_id), ctx, world.ports)
    assert world.happened(UserDeleted) == []


async def test_a_deleted_administrator_is_none_who_remains_and_one_again_when_restored(world: World, admin: Context) -> None:
    ada = await world.register("ada")
    await grant_role(GrantRole(user_id=ada, role=ADMIN), admin, world.ports)
    await delete_user(DeleteUser(user_id=ada), admin, world.ports)
    assert await admins(world) == {me(admin).user_id}
    with pytest.raises(errors.LastAdminProtected):
        await revoke_role(RevokeRole(user_id=me(admin).user_id, role=ADMIN), admin, world.ports)
    await restore_user(RestoreUser(user_id=ada), admin, world.ports)
    assert await admins(world) == {me(admin).user_id, ada}


async def test_nobody_deletes_or_restores_who_holds_more_than_they_do(world: World, admin: Context) -> None:
    await define(world, "support", "minos.users.*")
    await define(world, "editor", "tasks.*")
    support = await enter(world, "sue", SUPPORT)
    editor = me(await enter(world, "eve", EDITOR)).user_id
    with pytest.raises(errors.RightsExceeded):
        await delete_user(DeleteUser(user_id=editor), support, world.ports)
    await delete_user(DeleteUser(user_id=editor), admin, world.ports)
    with pytest.raises(errors.RightsExceeded):
        await restore_user(RestoreUser(user_id=editor), support, world.ports)


async def test_a_role_is_not_given_to_a_deleted_account(world: World, admin: Context) -> None:
    user_id = await gone(world)
    with pytest.raises(errors.NoSuchUser):
        await grant_role(GrantRole(user_id=user_id, role=ADMIN), admin, world.ports)
    assert await admins(world) == {me(admin).user_id}


async def test_how_long_is_a_setting_and_holds_from_the_deletion_on(world: World) -> None:
    world.set_policy(restore_period=60)
    user_id = await gone(world)
    world.set_policy(restore_period=MONTH)
    world.clock.forward(60)
    assert await release_names(user_id, SYSTEM, world.ports)
