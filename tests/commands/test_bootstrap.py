"""The first administrator, once (threats.md 18)."""

import asyncio

import msgspec
import pytest

from commands.bootstrap import BootstrapAdministrator, CreateAdministrator, bootstrap, create_administrator, is_bootstrapped
from commands.context import Context, Repeat
from domain import administrators
from domain.administrators import AdministratorAdded
from domain.bootstrap import BootstrapCompleted
from domain.errors import BootstrapClosed, BootstrapCodeInvalid, EmailTaken, PasswordUnacceptable
from domain.user_events import RegisteredBy, UserRegistered
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

CREATE = CreateAdministrator(email="root@example.org", password=PASSWORD)


async def wish(world: World, email: str = "root@example.org") -> BootstrapAdministrator:
    return BootstrapAdministrator(code=await world.ports.bootstrap.issue(), email=email, password=PASSWORD)


async def test_the_code_makes_the_first_administrator_and_closes_the_door(world: World) -> None:
    asked = await wish(world)
    done = await bootstrap(asked, ANYBODY, world.ports)
    account = await world.account(done.result.user_id)
    assert account.roles == ("admin", "user")
    assert (await world.state(administrators.decider, administrators.STREAM)).user_ids == {account.user_id}
    assert (await world.principal((await world.sign_in("root")).access_token)).permissions == ("*",)
    assert await is_bootstrapped(world.ports)
    with pytest.raises(BootstrapClosed):
        await bootstrap(await wish(world, "second@example.org"), ANYBODY, world.ports)


async def test_all_of_it_is_one_append(world: World) -> None:
    await bootstrap(await wish(world), ANYBODY, world.ports)
    kinds = ("user.registered.v1", "bootstrap.completed.v1", "administrators.added.v1", "claim.taken.v1", "user.password_set.v1")
    assert len({e.command_id for e in world.memory.log if e.type in kinds}) == 1
    [registered] = world.happened(UserRegistered)
    assert isinstance(registered, UserRegistered)
    assert registered.registered_by is RegisteredBy.BOOTSTRAP


async def test_a_wrong_code_makes_nobody_and_five_use_it_up(world: World) -> None:
    asked = await wish(world)
    wrong = msgspec.structs.replace(asked, code="AAAA-BBBB")
    for _ in range(5):
        with pytest.raises(BootstrapCodeInvalid):
            await bootstrap(wrong, ANYBODY, world.ports)
    with pytest.raises(BootstrapCodeInvalid):
        await bootstrap(asked, ANYBODY, world.ports)
    assert world.happened(UserRegistered) == []


async def test_a_weak_password_costs_no_try_of_the_code(world: World) -> None:
    asked = await wish(world)
    for _ in range(6):
        with pytest.raises(PasswordUnacceptable):
            await bootstrap(msgspec.structs.replace(asked, password="short"), ANYBODY, world.ports)
    await bootstrap(asked, ANYBODY, world.ports)


async def test_an_old_code_is_worth_nothing(world: World) -> None:
    asked = await wish(world)
    world.clock.forward(3_600)
    with pytest.raises(BootstrapCodeInvalid):
        await bootstrap(asked, ANYBODY, world.ports)


async def test_of_many_at_once_one_becomes_administrator(world: World) -> None:
    code = await world.ports.bootstrap.issue()
    wishes = [BootstrapAdministrator(code=code, email=f"root{n}@example.org", password=PASSWORD) for n in range(5)]
    answers = await asyncio.gather(*(bootstrap(w, ANYBODY, world.ports) for w in wishes), return_exceptions=True)
    assert sum(isinstance(a, BootstrapClosed) for a in answers) == 4
    assert len(world.happened(BootstrapCompleted)) == len(world.happened(AdministratorAdded)) == 1
    assert len(world.happened(UserRegistered)) == 1


async def test_a_repeat_of_the_bootstrap_gets_its_first_answer(world: World) -> None:
    keyed: Context = msgspec.structs.replace(ANYBODY, repeat=Repeat(key=b"k" * 32, digest=b"d" * 32))
    asked = await wish(world)
    first = await bootstrap(asked, keyed, world.ports)
    assert (await bootstrap(asked, keyed, world.ports)).result == first.result


async def test_a_repeat_overtaken_by_its_twin_gets_the_twins_answer(world: World) -> None:
    keyed: Context = msgspec.structs.replace(ANYBODY, repeat=Repeat(key=b"k" * 32, digest=b"d" * 32))
    asked = await wish(world)
    answers = await asyncio.gather(*(bootstrap(asked, keyed, world.ports) for _ in range(4)))
    assert len({a.result.user_id for a in answers}) == 1


async def test_the_command_line_makes_one_once_and_more_only_by_force(world: World) -> None:
    await create_administrator(CREATE, SYSTEM, world.ports)
    with pytest.raises(BootstrapClosed):
        await create_administrator(msgspec.structs.replace(CREATE, email="b@example.org"), SYSTEM, world.ports)
    with pytest.raises(EmailTaken):
        await create_administrator(msgspec.structs.replace(CREATE, force=True), SYSTEM, world.ports)
    await create_administrator(msgspec.structs.replace(CREATE, email="b@example.org", force=True), SYSTEM, world.ports)
    assert len(world.happened(AdministratorAdded)) == 2
    assert len(world.happened(BootstrapCompleted)) == 1


async def test_force_on_an_empty_log_is_the_bootstrap(world: World) -> None:
    await create_administrator(msgspec.structs.replace(CREATE, force=True), SYSTEM, world.ports)
    assert await is_bootstrapped(world.ports)


async def test_it_signs_in_before_its_address_is_proved_whatever_the_policy_for_others(world: World) -> None:
    """Nobody else may ask for the link that proves it: who cannot sign in could never have it."""
    world.set_policy(unverified_sign_in=False)
    await create_administrator(CREATE, SYSTEM, world.ports)
    name, _, _ = CREATE.email.partition("@")
    await world.sign_in(name, CREATE.password)
