"""What a gateway is told of a credential: the truth of this moment, for one audience, and no more than what it gives there."""

import pytest

from commands.audiences import ChangeAudience, RetireAudience, change_audience, retire_audience
from commands.check_credential import Demand, check_credential
from commands.define_role import DefineRole, define_role
from commands.factor_policy import AskAtAudience, AskOfRole, ask_at_audience, ask_of_role
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.ports import Found
from commands.service_accounts import DisableServiceAccount, disable_service_account
from commands.suspend_user import SuspendUser, suspend_user
from domain.audience import Rules
from domain.errors import AudienceNotAllowed, InvalidToken, PermissionDenied, StrongerFactorRequired
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName
from domain.permission import Permission
from tests.commands.machines import service_account, token_of
from tests.commands.recording import Recording
from tests.commands.test_api_keys import own_key
from tests.commands.world import SYSTEM, World

TASKS, NOTES = AudienceName("tasks"), AudienceName("notes")
EDITOR = RoleName("editor")
READ, WRITE = Permission("tasks.read"), Permission("tasks.write")


async def check(world: World, token: str, *permissions: Permission, roles: tuple[RoleName, ...] = (), at: AudienceName = TASKS) -> Found:
    presented = token if token.startswith("mk_") else await world.claims(token)
    return await check_credential(presented, Demand(audience=at, roles=roles, permissions=permissions), world.ports)


async def editor(world: World, *permissions: Permission) -> str:
    """Somebody with a role, and their token for one audience."""
    ada = await world.register("ada")
    await define_role(
        DefineRole(name=EDITOR, permissions=permissions or (READ, WRITE, Permission("minos.users.read"))), SYSTEM, world.ports
    )
    await grant_role(GrantRole(user_id=ada, role=EDITOR), SYSTEM, world.ports)
    return (await world.sign_in("ada", audience=TASKS)).access_token


async def test_a_person_is_told_with_what_their_roles_give_at_that_audience(world: World) -> None:
    token = await editor(world)
    claims = await world.claims(token)
    found = await check(world, token, READ, WRITE, roles=(EDITOR,))
    assert (found.principal, found.subject, found.session_id, found.client_id) == ("user", claims.sub, claims.sid, claims.client_id)
    assert (found.roles, found.permissions) == ((EDITOR, RoleName("user")), (READ, WRITE))
    assert (found.auth_time, found.acr, found.amr, found.expires_at) == (claims.auth_time, claims.acr, claims.amr, claims.exp)
    for wish in (Permission("tasks.delete"), Permission("minos.users.read")):
        with pytest.raises(PermissionDenied):
            await check(world, token, READ, wish)
    with pytest.raises(PermissionDenied):
        await check(world, token, roles=(EDITOR, RoleName("admin")))


async def test_it_is_one_question_to_the_store_as_every_check_of_a_caller(world: World) -> None:
    token, calls = await editor(world), list[str]()
    robot = await token_of(world, await service_account(world, READ, audiences=("tasks",)), audience=TASKS)
    world.use(store=Recording("store", world.ports.store, calls))
    for each in (token, robot):
        await check(world, each, READ)
        assert [call.partition("(")[0] for call in calls] == ["store.load"]
        calls.clear()


async def test_what_nobody_gave_costs_no_read(world: World) -> None:
    token, calls = await editor(world), list[str]()
    key = (await own_key(world, await world.ctx(await world.sign_in("ada")), READ, audience=TASKS)).api_key
    world.use(store=Recording("store", world.ports.store, calls))
    for made_up in (f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}", "mk_dev_", "mk_live" + key[6:], f"{token[:-8]}AAAAAAAA"):
        with pytest.raises(InvalidToken):
            await check(world, made_up)
    assert calls == []


async def test_a_role_granted_since_is_seen_and_one_taken_is_gone(world: World) -> None:
    ada = await world.register("ada")
    token = (await world.sign_in("ada", audience=TASKS)).access_token
    with pytest.raises(PermissionDenied):
        await check(world, token, READ)
    await define_role(DefineRole(name=EDITOR, permissions=(READ,)), SYSTEM, world.ports)
    await grant_role(GrantRole(user_id=ada, role=EDITOR), SYSTEM, world.ports)
    assert (await check(world, token, READ, roles=(EDITOR,))).permissions == (READ,)
    says_it = (await world.sign_in("ada", audience=TASKS)).access_token
    await revoke_role(RevokeRole(user_id=ada, role=EDITOR), SYSTEM, world.ports)
    for each in (token, says_it):
        for roles in ((EDITOR,), ()):
            with pytest.raises(PermissionDenied):
                await check(world, each, READ, roles=roles)


async def test_a_token_is_good_for_its_own_audience_alone(world: World) -> None:
    token = await editor(world)
    at_minos = (await world.sign_in("ada")).access_token
    robot = await token_of(world, await service_account(world, READ, audiences=("tasks",)), audience=TASKS)
    for each, audience in ((token, NOTES), (at_minos, TASKS), (robot, NOTES)):
        with pytest.raises(InvalidToken):
            await check(world, each, at=audience)


async def test_whoever_is_suspended_is_refused_at_once(world: World) -> None:
    token = await editor(world)
    await suspend_user(SuspendUser(user_id=(await world.principal(token)).user_id), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await check(world, token)


async def test_whom_the_audience_admits_no_more_is_refused(world: World) -> None:
    token = await editor(world)
    await change_audience(ChangeAudience(audience=TASKS, rules=Rules(roles=(RoleName("clerk"),))), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await check(world, token)
    await retire_audience(RetireAudience(audience=TASKS), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await check(world, token)


async def test_a_role_gives_nothing_until_the_factor_demanded_of_it_was_shown(world: World) -> None:
    token = await editor(world)
    await ask_of_role(AskOfRole(role=EDITOR, requirement=Requirement.ANY), SYSTEM, world.ports)
    found = await check(world, token)
    assert (found.roles, found.permissions) == ((RoleName("user"),), ())
    for roles in ((EDITOR,), (EDITOR, RoleName("user"))):
        with pytest.raises(StrongerFactorRequired):
            await check(world, token, roles=roles)
    with pytest.raises(StrongerFactorRequired):
        await check(world, token, WRITE)
    with pytest.raises(PermissionDenied):
        await check(world, token, Permission("tasks.delete"))  # no factor would mend this
    await ask_at_audience(AskAtAudience(audience=TASKS, requirement=Requirement.ANY), SYSTEM, world.ports)
    with pytest.raises(StrongerFactorRequired):
        await check(world, token)


async def test_a_service_account_has_what_token_account_and_catalogue_give_and_no_roles(world: World) -> None:
    client_id = await service_account(world, READ, WRITE, audiences=("tasks",))
    token = await token_of(world, client_id, audience=TASKS)
    found = await check(world, token, READ, WRITE)
    assert (found.principal, found.subject, found.client_id, found.session_id) == ("service", client_id, client_id, "")
    await change_audience(ChangeAudience(audience=TASKS, rules=Rules(permissions=(READ,))), SYSTEM, world.ports)
    assert (await check(world, token)).permissions == (READ,)
    for roles in ((RoleName("user"),), (EDITOR,)):
        with pytest.raises(PermissionDenied):
            await check(world, token, roles=roles)
    await disable_service_account(DisableServiceAccount(client_id=client_id), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await check(world, token)


async def test_a_key_passes_for_none_of_its_owners_roles(world: World) -> None:
    """A narrow key of an administrator would be an administrator wherever a role is asked for."""
    token = await editor(world)
    ctx = await world.ctx(await world.sign_in("ada"))
    key = (await own_key(world, ctx, READ, audience=TASKS)).api_key
    found = await check(world, key, READ)
    assert (found.principal, found.subject, found.roles, found.permissions) == (
        "api_key", (await world.claims(token)).sub, (), (READ,),
    )  # fmt: skip
    assert found.key_id
    for roles in ((EDITOR,), (RoleName("user"),)):
        with pytest.raises(PermissionDenied):
            await check(world, key, roles=roles)
    with pytest.raises(PermissionDenied):
        await check(world, key, WRITE)
    with pytest.raises(InvalidToken):
        await check(world, key, at=NOTES)
