"""ACC-19: what an account says of its person besides the name, sealed, and written by who may."""

import asyncio

import pytest

from commands.change_attributes import ChangeAttributes, change_attributes, change_own_attributes
from commands.context import Context
from commands.delete_user import DeleteUser, delete_user
from commands.read_profile import read_profile
from domain import errors
from domain.attributes import AttributesSet, Kind, Rule, Value, Writer
from domain.errors import AttributeInvalid, AttributeProtected, NoSuchAttribute, RightsExceeded
from domain.ids import UserId
from tests.commands.test_authority import EDITOR, SUPPORT, define, enter, me
from tests.commands.world import SYSTEM, World

SCHEMA = {
    "motto": Rule(kind=Kind.STRING, writable_by=Writer.OWNER, max_length=1_000),
    "badge": Rule(kind=Kind.STRING),
    **{f"note{n}": Rule(kind=Kind.STRING, writable_by=Writer.OWNER, max_length=1_000) for n in range(16)},
}


@pytest.fixture
def known(world: World) -> World:
    world.set_policy(attributes=SCHEMA)
    return world


async def said(world: World, user_id: UserId) -> dict[str, Value]:
    return (await read_profile(user_id, world.ports)).attributes


def wish(**changes: Value | None) -> ChangeAttributes:
    return ChangeAttributes(attributes=changes)


async def test_what_an_owner_and_an_administrator_write_is_there_together(known: World, admin: Context) -> None:
    ada = await known.enter("ada")
    await change_own_attributes(wish(motto="onwards"), ada, known.ports)
    await change_attributes(me(ada).user_id, wish(badge="7-A"), admin, known.ports)
    assert await said(known, me(ada).user_id) == {"motto": "onwards", "badge": "7-A"}
    await change_own_attributes(wish(motto=None), ada, known.ports)
    assert await said(known, me(ada).user_id) == {"badge": "7-A"}


async def test_nothing_of_it_is_readable_in_the_log(known: World) -> None:
    await change_own_attributes(wish(motto="onwards"), await known.enter("ada"), known.ports)
    payloads = b"".join(e.payload for e in known.memory.log)
    assert b"onwards" not in payloads
    assert b"motto" not in payloads


async def test_an_owner_does_not_write_what_administrators_do(known: World) -> None:
    ada = await known.enter("ada")
    with pytest.raises(AttributeProtected):
        await change_own_attributes(wish(motto="x", badge="1-A"), ada, known.ports)
    assert not known.happened(AttributesSet)


async def test_without_a_registration_there_are_none(world: World) -> None:
    ada = await world.enter("ada")
    with pytest.raises(NoSuchAttribute):
        await change_own_attributes(wish(motto="x"), ada, world.ports)
    assert await said(world, me(ada).user_id) == {}


async def test_what_is_not_registered_any_more_is_not_shown(known: World) -> None:
    ada = await known.enter("ada")
    await change_own_attributes(wish(motto="x"), ada, known.ports)
    known.set_policy(attributes={})
    assert await said(known, me(ada).user_id) == {}


async def test_saying_the_same_again_writes_nothing(known: World) -> None:
    ada = await known.enter("ada")
    for _ in range(2):
        await change_own_attributes(wish(motto="x"), ada, known.ports)
    await change_own_attributes(wish(note1=None), ada, known.ports)
    assert len(known.happened(AttributesSet)) == 1


async def test_all_of_them_together_are_bounded(known: World) -> None:
    ada = await known.enter("ada")
    with pytest.raises(AttributeInvalid):
        await change_own_attributes(wish(**{f"note{n}": "x" * 1_000 for n in range(16)}), ada, known.ports)


async def test_two_at_once_lose_nothing(known: World) -> None:
    ada = await known.enter("ada")
    await asyncio.gather(*(change_own_attributes(wish(**{f"note{n}": str(n)}), ada, known.ports) for n in range(8)))
    assert await said(known, me(ada).user_id) == {f"note{n}": str(n) for n in range(8)}


async def test_nobody_writes_of_who_may_do_more(known: World) -> None:
    await define(known, "support", "minos.users.*")
    await define(known, "editor", "tasks.*")
    support, editor = await enter(known, "sue", SUPPORT), await enter(known, "eve", EDITOR)
    with pytest.raises(RightsExceeded):
        await change_attributes(me(editor).user_id, wish(badge="7-A"), support, known.ports)


async def test_of_a_deleted_account_nothing_more_is_said(known: World, admin: Context) -> None:
    user_id = await known.register("ada")
    await delete_user(DeleteUser(user_id=user_id), SYSTEM, known.ports)
    with pytest.raises(errors.NoSuchUser):
        await change_attributes(user_id, wish(badge="7-A"), admin, known.ports)
