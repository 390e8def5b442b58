"""Somebody who may invite, but not grant roles, invites a second mailbox of their own to what they could not be granted."""

import pytest

from commands.grant_role import RevokeRole, revoke_role
from commands.invitations import invite_again, revoke_invitation
from domain.errors import RightsExceeded
from domain.ids import RoleName
from tests.commands.conftest import hasher, world
from tests.commands.test_authority import SUPPORT, define, enter, me
from tests.commands.test_invitations import invited, link, refused
from tests.commands.world import SYSTEM, World

__all__ = ["hasher", "world"]

APPROVER = RoleName("approver")
"""Gives nothing at Minos: what it means, the services know that read it in a token."""


async def test_who_may_not_grant_invites_to_no_role(world: World) -> None:
    await define(world, "support", "minos.users.invite")
    await define(world, "approver")
    ctx = await enter(world, "sue", SUPPORT)
    with pytest.raises(RightsExceeded):
        await invited(world, ctx, APPROVER)
    made = await invited(world, SYSTEM, APPROVER)
    world.clock.forward(60)
    with pytest.raises(RightsExceeded):
        await invite_again(made, ctx, world.ports)
    await invited(world, ctx)
    await revoke_invitation(made, ctx, world.ports)


@pytest.mark.parametrize("roles", [(), (APPROVER,)])
async def test_an_invitation_of_somebody_who_may_invite_no_more_opens_nothing(world: World, roles: tuple[RoleName, ...]) -> None:
    await define(world, "support", "minos.users.invite", "minos.roles.grant")
    await define(world, "approver")
    ctx = await enter(world, "sue", SUPPORT)
    token = await link(world, await invited(world, ctx, *roles))
    await revoke_role(RevokeRole(user_id=me(ctx).user_id, role=SUPPORT), SYSTEM, world.ports)
    await refused(world, token)
