"""An API key gives a part of what its owner may do: when it is made, and again at each use."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from commands.api_key_text import read_key_text
from commands.api_keys import (
    MakeApiKey,
    make_own_key,
)
from commands.context import Context
from commands.define_role import ChangeRolePermissions, DefineRole, change_role_permissions, define_role
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.key_holders import identify_key
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.new_key import NewApiKey
from commands.read_api_keys import read_keys_of
from commands.revoke_api_key import RevokeApiKey, revoke_leaked_key, revoke_own_key
from commands.rotate_api_key import RotateApiKey, rotate_api_key
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from commands.transact import transact
from domain import key_owner
from domain.api_key import ApiKeyRevoked, KeyRevocation
from domain.errors import InvalidToken, KeyLifeTooLong, NoSuchApiKey, RightsExceeded, TooManyKeys
from domain.ids import CorrelationId, RoleName, UserId
from domain.permission import Permission
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, SYSTEM, World

READ, WRITE = Permission("tickets.read"), Permission("tickets.write")
SUPPORT = RoleName("support")


async def supporter(world: World, name: str = "ada") -> tuple[UserId, Context]:
    """Somebody who may read and write tickets, by a role."""
    if not any(getattr(e, "role", None) == SUPPORT for e in world.log):
        await define_role(DefineRole(name=SUPPORT, permissions=(Permission("tickets.*"),)), SYSTEM, world.ports)
    user_id = await world.register(name)
    await grant_role(GrantRole(user_id=user_id, role=SUPPORT), SYSTEM, world.ports)
    return user_id, await world.ctx(await world.sign_in(name))


async def end_all(world: World, owner: UserId) -> int:
    """Revoke every key of a person in one append; give how many that were."""

    async def act(keys: OwnersKeys) -> int:
        await transact(world.ports, SYSTEM, keys.reads, lambda tx: keys.end(tx, KeyRevocation.PASSWORD_RESET))
        return len(keys.listed)

    return await with_keys_of(owner, world.ports, act)


async def own_key(world: World, ctx: Context, *permissions: Permission, **more: Any) -> NewApiKey:
    return (await make_own_key(MakeApiKey(name="laptop", permissions=permissions, **more), ctx, world.ports)).result


async def gives(world: World, key: str) -> tuple[Permission, ...]:
    return (await identify_key(key, world.ports))[0].machine.permissions


async def test_a_key_is_written_so_that_scanners_and_people_tell_it(world: World) -> None:
    _, ctx = await supporter(world)
    key = await own_key(world, ctx, READ)
    mark, environment, key_id, secret = key.api_key.split("_")
    assert (mark, environment, UUID(hex=key_id), len(secret)) == ("mk", "dev", key.key_id, 49)
    assert key.api_key not in repr(key)
    assert key.api_key.encode() not in b"".join(event.payload for event in world.memory.log)


async def test_a_mistyped_key_is_told_without_a_look_up(world: World) -> None:
    _, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ)).api_key
    calls: list[str] = []
    world.use(store=Recording("store", world.store, calls))
    swapped = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
    for wrong in (swapped, text[:-1], text + "0", text.replace("_dev_", "_live_"), "mk_dev_x", "mk_" + "0" * 200):
        assert read_key_text(wrong, "dev") is None
        with pytest.raises(InvalidToken):
            await identify_key(wrong, world.ports)
    assert calls == []


async def test_a_check_is_one_read_once_the_key_was_met_and_writes_nothing(world: World) -> None:
    _, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ)).api_key
    assert await gives(world, text) == (READ,)
    calls: list[str] = []
    written = len(world.memory.log)
    world.use(store=Recording("store", world.store, calls))
    assert await gives(world, text) == (READ,)
    assert (len(calls), len(world.memory.log)) == (1, written)


async def test_a_key_with_rights_its_maker_lacks_is_not_made(world: World) -> None:
    _, ctx = await supporter(world)
    for wanted in (Permission("billing.read"), Permission("*"), Permission("minos.users.read")):
        with pytest.raises(RightsExceeded):
            await own_key(world, ctx, READ, wanted)


async def test_a_right_the_owner_loses_the_key_loses(world: World) -> None:
    ada, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ, WRITE)).api_key
    assert await gives(world, text) == (READ, WRITE)
    await change_role_permissions(ChangeRolePermissions(role=SUPPORT, permissions=(READ,)), SYSTEM, world.ports)
    assert await gives(world, text) == (READ,)
    await revoke_role(RevokeRole(user_id=ada, role=SUPPORT), SYSTEM, world.ports)
    assert await gives(world, text) == ()
    await grant_role(GrantRole(user_id=ada, role=SUPPORT), SYSTEM, world.ports)
    assert await gives(world, text) == (READ,)


async def test_a_right_the_owner_gains_the_key_does_not(world: World) -> None:
    ada, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ)).api_key
    await define_role(DefineRole(name=RoleName("boss"), permissions=(Permission("*"),)), SYSTEM, world.ports)
    await grant_role(GrantRole(user_id=ada, role=RoleName("boss")), SYSTEM, world.ports)
    assert await gives(world, text) == (READ,)


async def test_a_suspended_owners_key_opens_nothing(world: World) -> None:
    ada, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ)).api_key
    await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await gives(world, text)


async def test_keys_stay_ended_when_their_suspended_owner_is_reinstated(world: World) -> None:
    ada, ctx = await supporter(world)
    text = (await own_key(world, ctx, READ)).api_key
    await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    await reinstate_user(ReinstateUser(user_id=ada), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await gives(world, text)


async def test_a_key_hands_out_no_more_than_it_gives(world: World) -> None:
    """Its maker may do more; the bound is what the shown credential may do (threats.md 6)."""
    await define_role(DefineRole(name=RoleName("maker"), permissions=(Permission("minos.roles.write"), READ, WRITE)), SYSTEM, world.ports)
    ada = await world.register("ada")
    await grant_role(GrantRole(user_id=ada, role=RoleName("maker")), SYSTEM, world.ports)
    ctx = await world.ctx(await world.sign_in("ada"))
    text = (await own_key(world, ctx, Permission("minos.roles.write"), READ)).api_key
    held, _ = await identify_key(text, world.ports)
    by_key = Context(correlation_id=CorrelationId(UUID(int=9)), machine=held.machine)
    assert by_key.actor == f"api_key:{held.machine.key_id}"
    await define_role(DefineRole(name=RoleName("reader"), permissions=(READ,)), by_key, world.ports)
    with pytest.raises(RightsExceeded):
        await define_role(DefineRole(name=RoleName("writer"), permissions=(WRITE,)), by_key, world.ports)
    await end_all(world, ada)
    with pytest.raises(InvalidToken):
        await define_role(DefineRole(name=RoleName("other"), permissions=()), by_key, world.ports)


async def test_keys_end_when_the_settings_or_their_maker_say(world: World) -> None:
    _, ctx = await supporter(world)
    short, default = await own_key(world, ctx, READ, expires_in=60), await own_key(world, ctx, READ)
    assert (default.expires_at - world.clock.now).days == 90
    world.clock.forward(60)
    with pytest.raises(InvalidToken):
        await gives(world, short.api_key)
    world.set_policy(api_key_max_ttl=3_600)
    with pytest.raises(KeyLifeTooLong):
        await own_key(world, ctx, READ, expires_in=3_601)
    assert (await own_key(world, ctx, READ)).expires_at == world.clock.now + timedelta(hours=1)


async def test_a_key_turns_without_a_break(world: World) -> None:
    ada, ctx = await supporter(world)
    first = await own_key(world, ctx, READ)
    turned = (await rotate_api_key(RotateApiKey(key_id=first.key_id, overlap=600), ctx, world.ports, owner=ada)).result
    assert turned.key_id == first.key_id
    for text in (first.api_key, turned.api_key):
        assert await gives(world, text) == (READ,)
    world.clock.forward(600)
    with pytest.raises(InvalidToken):
        await gives(world, first.api_key)
    assert await gives(world, turned.api_key) == (READ,)


async def test_a_key_is_revoked_by_its_owner_and_by_nobody_elses_hand(world: World) -> None:
    ada, ctx = await supporter(world)
    bob, _ = await supporter(world, "bob")
    key = await own_key(world, ctx, READ)
    with pytest.raises(NoSuchApiKey):
        await revoke_own_key(RevokeApiKey(key_id=key.key_id), bob, ANYBODY, world.ports)
    assert await gives(world, key.api_key) == (READ,)
    await revoke_own_key(RevokeApiKey(key_id=key.key_id), ada, ctx, world.ports)
    with pytest.raises(InvalidToken):
        await gives(world, key.api_key)
    assert await read_keys_of(ada, world.ports) == []


async def test_a_leaked_key_ends_by_its_value_and_a_made_up_one_changes_nothing(world: World) -> None:
    _, ctx = await supporter(world)
    key, other = await own_key(world, ctx, READ), await own_key(world, ctx, READ)
    made_up = key.api_key[:40] + other.api_key[40:]
    written = len(world.memory.log)
    for text in (made_up, "mk_dev_nothing", "x" * 200):
        await revoke_leaked_key(text, ANYBODY, world.ports)
    assert len(world.memory.log) == written
    for _ in range(2):
        await revoke_leaked_key(key.api_key, ANYBODY, world.ports)
    [revoked] = world.happened(ApiKeyRevoked)
    assert isinstance(revoked, ApiKeyRevoked)
    assert (revoked.key_id, revoked.reason) == (key.key_id, KeyRevocation.LEAKED)
    assert await gives(world, other.api_key) == (READ,)


async def test_all_keys_of_a_person_end_in_one_step(world: World) -> None:
    ada, ctx = await supporter(world)
    keys = [await own_key(world, ctx, READ) for _ in range(3)]
    assert await end_all(world, ada) == 3
    for key in keys:
        with pytest.raises(InvalidToken):
            await gives(world, key.api_key)


async def test_nobody_makes_keys_without_end(world: World) -> None:
    _, ctx = await supporter(world)
    for _ in range(key_owner.MOST_KEYS):
        await own_key(world, ctx, READ, expires_in=600)
    with pytest.raises(TooManyKeys):
        await own_key(world, ctx, READ)
    world.clock.forward(600)
    await own_key(world, ctx, READ)
