"""What a key is bounded by besides its owner: a service account's rights, an audience's rules, who acts on it, a factor demanded."""

import asyncio
from typing import Any

import pytest

from commands.api_keys import (
    MakeServiceKey,
    make_service_key,
)
from commands.audiences import (
    ChangeAudience,
    DefineAudience,
    RetireAudience,
    change_audience,
    define_audience,
    retire_audience,
)
from commands.define_role import DefineRole, define_role
from commands.factor_policy import AskOfRole, ask_of_role
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.key_holders import identify_key
from commands.revoke_api_key import RevokeApiKey, revoke_api_key
from commands.rotate_api_key import RotateApiKey, rotate_api_key
from commands.service_accounts import (
    ChangeServiceAccount,
    DeleteServiceAccount,
    DisableServiceAccount,
    change_service_account,
    delete_service_account,
    disable_service_account,
)
from domain.api_key import ApiKeyRevoked, KeyRevocation
from domain.audience import Rules
from domain.errors import ApiKeyEnded, AudienceNotAllowed, InvalidToken, NoSuchApiKey, RightsExceeded
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName
from domain.permission import Permission
from tests.commands.machines import service_account
from tests.commands.test_api_keys import READ, SUPPORT, WRITE, gives, own_key, supporter
from tests.commands.world import SYSTEM, World


async def test_a_service_accounts_key_is_bounded_by_it_and_ends_with_it(world: World) -> None:
    client_id = await service_account(world, READ, WRITE)
    key = (await make_service_key(MakeServiceKey(client_id=client_id, name="k", permissions=(READ, WRITE)), SYSTEM, world.ports)).result
    assert await gives(world, key.api_key) == (READ, WRITE)
    for wish in (
        MakeServiceKey(client_id=client_id, name="k", permissions=(Permission("billing.read"),)),
        MakeServiceKey(client_id=client_id, name="k", audience=AudienceName("tasks")),
    ):
        with pytest.raises(RightsExceeded):
            await make_service_key(wish, SYSTEM, world.ports)
    await change_service_account(ChangeServiceAccount(client_id=client_id, permissions=(READ,)), SYSTEM, world.ports)
    assert await gives(world, key.api_key) == (READ,)
    await disable_service_account(DisableServiceAccount(client_id=client_id), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await gives(world, key.api_key)


async def test_a_service_accounts_keys_are_revoked_with_it_and_none_slips_in_meanwhile(world: World) -> None:
    """Nobody is told any more that they end soon, and no list has them."""
    client_id, other = await service_account(world, READ), await service_account(world, READ)
    wish = MakeServiceKey(client_id=client_id, name="k", permissions=(READ,))
    stays = (await make_service_key(MakeServiceKey(client_id=other, name="k", permissions=(READ,)), SYSTEM, world.ports)).result
    made = [(await make_service_key(wish, SYSTEM, world.ports)).result]
    late, _ = await asyncio.gather(
        make_service_key(wish, SYSTEM, world.ports),
        delete_service_account(DeleteServiceAccount(client_id=client_id), SYSTEM, world.ports),
        return_exceptions=True,
    )
    if not isinstance(late, BaseException):
        made.append(late.result)
    revoked = {event.key_id: event.reason for event in world.happened(ApiKeyRevoked) if isinstance(event, ApiKeyRevoked)}
    assert revoked == dict.fromkeys((key.key_id for key in made), KeyRevocation.ACCOUNT_DELETED)
    assert await gives(world, stays.api_key) == (READ,)


@pytest.mark.parametrize("has_ended", [False, True])
async def test_threat_6_nobody_acts_on_keys_of_a_service_account_that_may_do_more(world: World, has_ended: bool) -> None:
    """The key is within what the caller may do, and its service account is not."""
    client_id = await service_account(world, READ, "billing.write")
    wish = MakeServiceKey(client_id=client_id, name="k", permissions=(READ,))
    key = (await make_service_key(wish, SYSTEM, world.ports)).result
    _, ctx = await supporter(world)
    if has_ended:
        await revoke_api_key(RevokeApiKey(key_id=key.key_id), SYSTEM, world.ports)
    for act in (
        make_service_key(wish, ctx, world.ports),
        rotate_api_key(RotateApiKey(key_id=key.key_id), ctx, world.ports),
        revoke_api_key(RevokeApiKey(key_id=key.key_id), ctx, world.ports),
    ):
        with pytest.raises((RightsExceeded, ApiKeyEnded) if has_ended else RightsExceeded):
            await act
    await change_service_account(ChangeServiceAccount(client_id=client_id, permissions=(READ,)), SYSTEM, world.ports)
    await make_service_key(wish, ctx, world.ports)
    await revoke_api_key(RevokeApiKey(key_id=key.key_id), ctx, world.ports)


async def test_threat_6_nobody_ends_the_key_of_a_person_who_may_do_more(world: World) -> None:
    _, ada = await supporter(world)
    bobs_id, bob = await supporter(world, "bob")
    await define_role(DefineRole(name=RoleName("billing"), permissions=(Permission("billing.*"),)), SYSTEM, world.ports)
    await grant_role(GrantRole(user_id=bobs_id, role=RoleName("billing")), SYSTEM, world.ports)
    key = await own_key(world, bob, READ)
    with pytest.raises(RightsExceeded):
        await revoke_api_key(RevokeApiKey(key_id=key.key_id), ada, world.ports)
    assert await gives(world, key.api_key) == (READ,)
    await revoke_role(RevokeRole(user_id=bobs_id, role=RoleName("billing")), SYSTEM, world.ports)
    await revoke_api_key(RevokeApiKey(key_id=key.key_id), ada, world.ports)
    with pytest.raises(InvalidToken):
        await gives(world, key.api_key)


async def test_a_persons_key_is_turned_by_nobody_but_them(world: World) -> None:
    _, ctx = await supporter(world)
    key = await own_key(world, ctx, READ)
    with pytest.raises(NoSuchApiKey):
        await rotate_api_key(RotateApiKey(key_id=key.key_id), SYSTEM, world.ports)


async def test_a_key_for_a_free_text_audience_is_refused(world: World) -> None:
    _, ctx = await supporter(world)
    with pytest.raises(AudienceNotAllowed):
        await own_key(world, ctx, READ, audience=AudienceName("made-up"))


async def rules_of(world: World, name: str, **rules: Any) -> AudienceName:
    """An audience with rules, or with other rules than it had."""
    audience = AudienceName(name)
    if audience in {getattr(e, "audience", None) for e in world.log}:
        await change_audience(ChangeAudience(audience=audience, rules=Rules(**rules)), SYSTEM, world.ports)
    else:
        await define_audience(DefineAudience(name=audience, **rules), SYSTEM, world.ports)
    return audience


async def test_attack_key_for_an_audience_its_owner_may_not_ask_for(world: World) -> None:
    _, ada = await supporter(world)
    payroll = await rules_of(world, "payroll", roles=(RoleName("paymaster"),))
    with pytest.raises(AudienceNotAllowed):
        await own_key(world, ada, audience=payroll)


async def test_a_key_ends_where_its_owner_may_not_ask_for_its_audience_any_more(world: World) -> None:
    _, ada = await supporter(world)
    payroll = await rules_of(world, "payroll", roles=(SUPPORT,))
    made = await own_key(world, ada, READ, audience=payroll)
    assert (await identify_key(made.api_key, world.ports))[0].machine.permissions == (READ,)
    await rules_of(world, "payroll", roles=(RoleName("paymaster"),))
    with pytest.raises(InvalidToken):
        await identify_key(made.api_key, world.ports)


async def test_a_retired_audience_ends_its_keys(world: World) -> None:
    _, ada = await supporter(world)
    payroll = await rules_of(world, "payroll")
    made = await own_key(world, ada, READ, audience=payroll)
    await retire_audience(RetireAudience(audience=payroll), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_key(made.api_key, world.ports)


async def test_a_key_carries_nothing_outside_its_audiences_catalogue(world: World) -> None:
    _, ada = await supporter(world)
    payroll = await rules_of(world, "payroll", permissions=(READ, WRITE))
    with pytest.raises(RightsExceeded):
        await own_key(world, ada, Permission("tickets.*"), audience=payroll)
    made = await own_key(world, ada, READ, WRITE, audience=payroll)
    await rules_of(world, "payroll", permissions=(READ,))
    assert (await identify_key(made.api_key, world.ports))[0].machine.permissions == (READ,)


async def test_no_key_gives_what_a_role_withholds_and_one_of_before_goes_on(world: World) -> None:
    """A key shows no factor: what is demanded is held against whoever makes it."""
    await supporter(world)
    by_password = await world.sign_in("ada")
    before = await own_key(world, await world.ctx(by_password), READ)
    await ask_of_role(AskOfRole(role=SUPPORT, requirement=Requirement.ANY), SYSTEM, world.ports)
    with pytest.raises(RightsExceeded):
        await own_key(world, await world.ctx(by_password), READ)
    assert await gives(world, before.api_key) == (READ,)
