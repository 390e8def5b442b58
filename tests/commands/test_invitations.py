"""Who is invited has an account by the mailed link alone, and never more than the inviter may give, then and now."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.accept_invitation import AcceptInvitation, accept_invitation, open_invitation
from commands.context import Context, Repeat
from commands.define_role import ChangeRolePermissions, change_role_permissions
from commands.delete_user import DeleteUser, delete_user
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.invitations import Invite, invite, invite_again, revoke_invitation
from commands.ports import MailToken, MailTokenKind
from commands.suspend_user import SuspendUser, suspend_user
from domain import errors
from domain.ids import InvitationId, RoleName, UserId
from domain.invitation import InvitationAccepted, InvitationMade
from domain.permission import Permission
from domain.user_events import UserRegistered
from tests.commands.test_authority import ADMIN, EDITOR, SUPPORT, admins, define, enter, me
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

WEEK = 7 * 86_400


async def invited(world: World, ctx: Context = SYSTEM, *roles: RoleName, email: str = "ada@example.org") -> InvitationId:
    return (await invite(Invite(email=email, name="Ada", roles=roles), ctx, world.ports)).result.invitation_id


async def link(world: World, invitation_id: InvitationId) -> str:
    """The token of the newest mail."""
    found = await open_invitation(invitation_id, world.ports)
    assert found is not None
    return found.token


async def accept(world: World, token: str) -> UserId:
    return (await accept_invitation(AcceptInvitation(token=token, password=PASSWORD), ANYBODY, world.ports)).user_id


async def inviter(world: World) -> Context:
    """Somebody who may invite, and give the role `editor`."""
    await define(world, "support", "minos.users.invite", "minos.roles.grant", "tasks.*")
    await define(world, "editor", "tasks.*")
    return await enter(world, "sue", SUPPORT)


async def refused(world: World, token: str) -> None:
    with pytest.raises(errors.MailTokenInvalid):
        await accept(world, token)
    assert not world.happened(InvitationAccepted)


async def test_who_accepts_signs_in_with_a_proved_address_and_the_roles_given(world: World) -> None:
    world.set_policy(registration="invite")
    ctx = await enter_by_hand(world)
    user_id = await accept(world, await link(world, await invited(world, ctx, EDITOR)))
    account = await world.account(user_id)
    assert (account.roles, account.email_verified) == (("editor", "user"), True)
    await world.sign_in("ada")
    with pytest.raises(errors.RegistrationClosed):
        await world.register("bob")


async def enter_by_hand(world: World) -> Context:
    world.set_policy(registration="open")
    ctx = await inviter(world)
    world.set_policy(registration="invite")
    return ctx


async def test_where_nobody_registers_nobody_is_invited(world: World) -> None:
    token = await link(world, await invited(world))
    world.set_policy(registration="closed")
    with pytest.raises(errors.RegistrationClosed):
        await accept(world, token)
    with pytest.raises(errors.RegistrationClosed):
        await invited(world)


async def test_a_link_works_once_however_many_use_it_at_once(world: World) -> None:
    token = await link(world, await invited(world))
    answers = await asyncio.gather(*(accept(world, token) for _ in range(4)), return_exceptions=True)
    assert len([a for a in answers if isinstance(a, UUID)]) == 1
    assert {type(a) for a in answers if not isinstance(a, UUID)} <= {errors.MailTokenInvalid, errors.EmailTaken}
    assert len(world.happened(UserRegistered)) == 1


async def test_an_old_a_late_and_a_revoked_link_open_nothing(world: World) -> None:
    invitation_id = await invited(world)
    old = await link(world, invitation_id)
    world.clock.forward(60)
    await invite_again(invitation_id, SYSTEM, world.ports)
    await refused(world, old)
    new = await link(world, invitation_id)
    world.clock.forward(WEEK)
    await refused(world, new)
    await invite_again(invitation_id, SYSTEM, world.ports)
    newest = await link(world, invitation_id)
    await revoke_invitation(invitation_id, SYSTEM, world.ports)
    await refused(world, newest)
    assert await open_invitation(invitation_id, world.ports) is None


async def test_no_other_mailed_token_is_an_invitation(world: World) -> None:
    invitation_id = await invited(world)
    for kind in MailTokenKind:
        if kind is not MailTokenKind.INVITATION:
            token = MailToken(kind=kind, subject=invitation_id, about=UUID(int=1), expires_at=2**33)
            await refused(world, world.ports.mail_tokens.make(token))


async def test_nobody_invites_to_more_than_they_may_do(world: World, admin: Context) -> None:
    ctx = await inviter(world)
    for act in (
        invited(world, ctx, ADMIN),
        invite_again(await invited(world, admin, ADMIN), ctx, world.ports),
        revoke_invitation(await invited(world, admin, ADMIN), ctx, world.ports),
    ):
        with pytest.raises(errors.RightsExceeded):
            await act
    with pytest.raises(errors.NoSuchRole):
        await invited(world, admin, RoleName("nowhere"), email="joan@example.org")


async def test_attack_invitation_kept_for_when_its_inviter_has_lost_the_right(world: World) -> None:
    ctx = await inviter(world)
    token = await link(world, await invited(world, ctx, EDITOR))
    await revoke_role(RevokeRole(user_id=me(ctx).user_id, role=SUPPORT), SYSTEM, world.ports)
    await refused(world, token)


async def test_attack_invitation_to_a_role_that_was_given_more_since(world: World) -> None:
    ctx = await inviter(world)
    token = await link(world, await invited(world, ctx, EDITOR))
    await change_role_permissions(ChangeRolePermissions(role=EDITOR, permissions=(Permission("minos.*"),)), SYSTEM, world.ports)
    await refused(world, token)


@pytest.mark.parametrize("end", ["suspend", "delete"])
async def test_attack_invitation_of_somebody_who_was_thrown_out(world: World, end: str) -> None:
    ctx = await inviter(world)
    token = await link(world, await invited(world, ctx))
    user_id = me(ctx).user_id
    if end == "suspend":
        await suspend_user(SuspendUser(user_id=user_id), SYSTEM, world.ports)
    else:
        await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)
    await refused(world, token)


async def test_a_right_lost_while_it_is_being_accepted_counts(world: World) -> None:
    ctx = await inviter(world)
    token = await link(world, await invited(world, ctx, EDITOR))

    async def overtake(_: object) -> None:
        await revoke_role(RevokeRole(user_id=me(ctx).user_id, role=SUPPORT), SYSTEM, world.ports)

    world.store.overtake = overtake
    await refused(world, token)


async def test_a_role_gained_meanwhile_keeps_nobody_out(world: World) -> None:
    ctx = await inviter(world)
    token = await link(world, await invited(world, ctx, EDITOR))

    async def overtake(_: object) -> None:
        await grant_role(GrantRole(user_id=me(ctx).user_id, role=EDITOR), SYSTEM, world.ports)

    world.store.overtake = overtake
    await accept(world, token)


async def test_who_is_invited_as_administrator_is_one(world: World, admin: Context) -> None:
    user_id = await accept(world, await link(world, await invited(world, admin, ADMIN)))
    assert await admins(world) == {me(admin).user_id, user_id}


async def test_an_address_that_was_taken_meanwhile_has_one_account(world: World) -> None:
    token = await link(world, await invited(world))
    await world.register("ada")
    with pytest.raises(errors.EmailTaken):
        await accept(world, token)


async def test_inviting_twice_with_one_key_is_one_invitation(world: World, admin: Context) -> None:
    keyed = replace(admin, repeat=Repeat(key=b"k" * 32, digest=b"d" * 32))
    assert await invited(world, keyed) == await invited(world, keyed)
    assert len(world.happened(InvitationMade)) == 1


async def test_no_event_of_it_tells_whom_it_is_for(world: World) -> None:
    await accept(world, await link(world, await invited(world)))
    assert b"ada@" not in b"".join(e.payload for e in world.memory.log)
