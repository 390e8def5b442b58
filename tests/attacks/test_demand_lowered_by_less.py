"""Somebody who may set demands, and nothing else, takes away what is demanded at a service whose permissions are not registered, or of a
role that has no permissions: services know both by name, and let them do what Minos does not know."""

import pytest

from commands.context import Context
from commands.factor_policy import AskAtAudience, AskOfRole, ask_at_audience, ask_of_role, read_factor_policy
from domain.errors import RightsExceeded
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName
from domain.role import USER
from tests.commands.conftest import admin, hasher, world
from tests.commands.test_authority import define, enter
from tests.commands.world import SYSTEM, World

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


@pytest.mark.parametrize("role", [USER, RoleName("treasurer")])
async def test_nor_of_a_role_that_services_alone_know_the_worth_of(world: World, admin: Context, role: RoleName) -> None:
    await define(world, "clerk", "minos.factors.write")
    if role != USER:
        await define(world, role)
    clerk = await enter(world, "carl", RoleName("clerk"))
    await ask_of_role(AskOfRole(role=role, requirement=Requirement.PHISHING_RESISTANT), SYSTEM, world.ports)
    for less in (Requirement.ANY, Requirement.NONE):
        with pytest.raises(RightsExceeded):
            await ask_of_role(AskOfRole(role=role, requirement=less), clerk, world.ports)
    assert (await read_factor_policy(world.ports)).roles == {role: Requirement.PHISHING_RESISTANT}
    await ask_of_role(AskOfRole(role=role, requirement=Requirement.NONE), admin, world.ports)


async def test_who_may_set_demands_makes_one_of_a_role_without_permissions(world: World) -> None:
    await define(world, "clerk", "minos.factors.write")
    await define(world, "treasurer")
    clerk = await enter(world, "carl", RoleName("clerk"))
    await ask_of_role(AskOfRole(role=RoleName("treasurer"), requirement=Requirement.ANY), clerk, world.ports)
