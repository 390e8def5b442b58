"""A reset link lies in a mailbox that is broken into later: by then its reason is gone, and so is its worth."""

import pytest

from commands.change_password import ChangePassword, change_password
from commands.forgot_password import begin_reset
from commands.reset_password import ResetPassword, reset_password
from domain.errors import MailTokenInvalid
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, link
from tests.commands.conftest import hasher, world
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

__all__ = ["hasher", "world"]
THIEF = "what the thief would choose"


async def use(world: World, token: str, password: str = NEW) -> None:
    await reset_password(ResetPassword(token=token, new_password=password), ANYBODY, world.ports)


async def test_a_changed_password_is_changed_by_no_link_from_before(world: World) -> None:
    ctx = await world.enter("ada")
    token = await link(world)
    await change_password(ChangePassword(current_password=PASSWORD, new_password=NEW), ctx, world.ports)
    with pytest.raises(MailTokenInvalid):
        await use(world, token, THIEF)
    await world.sign_in("ada", NEW)


async def test_a_mail_that_was_late_takes_the_place_of_no_newer_asking(world: World) -> None:
    await world.register("ada")
    late, newer = world.ports.random.uuid7(), world.ports.random.uuid7()
    token = await link(world, newer)
    assert await begin_reset("ada@example.org", late, SYSTEM, world.ports) is None
    await use(world, token)


async def test_a_mail_that_was_late_revives_nothing_once_a_newer_was_used(world: World) -> None:
    await world.register("ada")
    late, newer = world.ports.random.uuid7(), world.ports.random.uuid7()
    await use(world, await link(world, newer))
    assert await begin_reset("ada@example.org", late, SYSTEM, world.ports) is None
    assert await begin_reset("ada@example.org", newer, SYSTEM, world.ports) is None
