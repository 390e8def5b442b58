"""A machine's token is good for what its service account may do at this moment, and for nothing of a person's."""

import pytest
from msgspec.structs import replace

from commands.define_role import DefineRole, define_role
from commands.identify import identify, standing
from commands.machine_answer import machine_claims
from commands.machines import LONGEST_ACCESS_TOKEN, identify_machine
from commands.service_accounts import (
    CreateServiceAccount,
    DeleteServiceAccount,
    DisableServiceAccount,
    create_service_account,
    delete_service_account,
    disable_service_account,
)
from domain import client
from domain.errors import AudienceNotAllowed, InvalidToken, PermissionDenied, RightsExceeded, SessionRequired
from domain.ids import AudienceName, RoleName
from domain.permission import Permission
from domain.role import RoleDefined
from tests.commands.machines import account_of, machine_ctx, service_account, token_of
from tests.commands.world import SYSTEM, World


async def test_a_live_machine_is_known_with_what_it_may_do(world: World) -> None:
    client_id = await service_account(world, "minos.users.read", "tickets.*")
    ctx = await machine_ctx(world, await token_of(world, client_id))
    assert ctx.machine is not None
    assert (ctx.actor, ctx.session_id) == (f"client:{client_id}", None)
    assert ctx.machine.permissions == ("minos.users.read", "tickets.*")


async def test_a_disabled_or_deleted_service_account_is_out_at_once(world: World) -> None:
    disabled, deleted = await service_account(world), await service_account(world)
    tokens = [await world.claims(await token_of(world, one)) for one in (disabled, deleted)]
    await disable_service_account(DisableServiceAccount(client_id=disabled), SYSTEM, world.ports)
    await delete_service_account(DeleteServiceAccount(client_id=deleted), SYSTEM, world.ports)
    for claims in tokens:
        with pytest.raises(InvalidToken):
            await identify_machine(claims, world.ports)


async def test_a_token_for_weeks_that_was_never_issued_as_such_is_refused(world: World) -> None:
    """What could sign one by mistake makes no admin bearer for a year."""
    client_id = await service_account(world)
    claims = await world.claims(await token_of(world, client_id, ttl=LONGEST_ACCESS_TOKEN + 1))
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)


async def test_a_machines_token_is_no_persons(world: World) -> None:
    claims = await world.claims(await token_of(world, await service_account(world, "*")))
    for ask in (identify, standing):
        with pytest.raises(SessionRequired):
            await ask(claims, world.ports)


async def test_a_persons_token_is_no_machines(world: World) -> None:
    await world.register("ada")
    claims = await world.claims((await world.sign_in("ada")).access_token)
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)


async def test_a_machines_token_with_a_session_in_it_does_not_verify(world: World) -> None:
    """Token classes do not mix: who is a service has no session, who is a person has one."""
    account = await account_of(world, await service_account(world))
    claims = machine_claims(account, world.ports, audience=AudienceName("minos"), permissions=(), ttl=60, at=world.clock.now)
    for mixed in (replace(claims, sid="0192f0c1-0000-7000-8000-000000005e55"), replace(claims, amr=("pwd",)), replace(claims, auth_time=1)):
        with pytest.raises(InvalidToken):
            await world.claims(await world.ports.mint.access_token(mixed))


async def test_a_machine_hands_out_no_more_than_it_may_do(world: World) -> None:
    ctx = await machine_ctx(world, await token_of(world, await service_account(world, "minos.roles.write", "tickets.read")))
    await define_role(DefineRole(name=RoleName("reader"), permissions=(Permission("tickets.read"),)), ctx, world.ports)
    with pytest.raises(RightsExceeded):
        await define_role(DefineRole(name=RoleName("writer"), permissions=(Permission("tickets.write"),)), ctx, world.ports)
    assert len(world.happened(RoleDefined)) == 3


async def test_a_machine_whose_rights_shrink_meanwhile_decides_nothing_any_more(world: World) -> None:
    client_id = await service_account(world, "minos.roles.write", "tickets.read")
    ctx = await machine_ctx(world, await token_of(world, client_id))
    await disable_service_account(DisableServiceAccount(client_id=client_id), SYSTEM, world.ports)
    with pytest.raises((InvalidToken, PermissionDenied)):
        await define_role(DefineRole(name=RoleName("reader"), permissions=()), ctx, world.ports)


async def test_a_service_account_has_no_right_its_maker_lacks(world: World) -> None:
    ctx = await world.enter("ada")
    wish = CreateServiceAccount(name="too much", audiences=(AudienceName("tasks"),), permissions=(Permission("tasks.read"),))
    with pytest.raises(RightsExceeded):
        await create_service_account(wish, ctx, world.ports)


async def test_a_free_text_audience_is_refused(world: World) -> None:
    wish = CreateServiceAccount(name="x", audiences=(AudienceName("made-up"),))
    with pytest.raises(AudienceNotAllowed):
        await create_service_account(wish, SYSTEM, world.ports)


async def test_only_an_hmac_of_the_secret_is_kept(world: World) -> None:
    wish = CreateServiceAccount(name="x", audiences=(AudienceName("tasks"),))
    shown = (await create_service_account(wish, SYSTEM, world.ports)).result
    written = b"".join(event.payload for event in world.memory.log)
    state = await world.state(client.decider, client.stream(shown.client_id))
    assert shown.client_secret.encode() not in written
    assert shown.client_secret not in repr(shown)
    assert state.secrets[0].secret_id == shown.secret_id
