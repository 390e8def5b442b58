"""Somebody who may invite has one stranger's mailbox written to all day."""

import pytest

from commands.invitations import Invite, invite
from domain.errors import MailLimited
from tests.commands.conftest import hasher, world
from tests.commands.test_authority import SUPPORT, define, enter
from tests.commands.world import World

__all__ = ["hasher", "world"]


async def test_a_stranger_is_invited_a_few_times_by_all_together(world: World) -> None:
    await define(world, "support", "minos.users.invite")
    sue, tom = await enter(world, "sue", SUPPORT), await enter(world, "tom", SUPPORT)
    for ctx, address in ((sue, "eve@example.org"), (tom, "Eve@Example.org"), (sue, "eve@EXAMPLE.org")):
        await invite(Invite(email=address), ctx, world.ports)
    with pytest.raises(MailLimited) as refused:
        await invite(Invite(email="eve@example.org"), tom, world.ports)
    await invite(Invite(email="joan@example.org"), tom, world.ports)
    world.clock.forward(refused.value.retry_after)
    await invite(Invite(email="eve@example.org"), tom, world.ports)
