"""Somebody who may set demands, and nothing else, takes away what is demanded at a service whose permissions are not registered."""

import pytest

from commands.context import Context
from commands.factor_policy import AskAtAudience, ask_at_audience, read_factor_policy
from domain.errors import RightsExceeded
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName
from tests.commands.conftest import admin, hasher, world
from tests.commands.test_authority import define, enter
from tests.commands.world import World

__all__ = ["admin", "hasher", "world"]
TASKS = AudienceName("tasks")


def asks(requirement: Requirement) -> AskAtAudience:
    return AskAtAudience(audience=TASKS, requirement=requirement)


async def test_only_who_may_do_everything_lowers_the_door_to_anything(world: World, admin: Context) -> None:
    await define(world, "clerk", "minos.factors.write")
    clerk = await enter(world, "carl", RoleName("clerk"))
    await ask_at_audience(asks(Requirement.ANY), clerk, world.ports)
    await ask_at_audience(asks(Requirement.PHISHING_RESISTANT), clerk, world.ports)
    for less in (Requirement.ANY, Requirement.NONE):
        with pytest.raises(RightsExceeded):
            await ask_at_audience(asks(less), clerk, world.ports)
    await ask_at_audience(asks(Requirement.NONE), admin, world.ports)
    assert (await read_factor_policy(world.ports)).audiences == {}
