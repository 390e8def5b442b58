"""A signed-in caller cannot fill the table of answers, and nobody can keep others from theirs (threats.md 4)."""

import asyncio

import pytest
from msgspec.structs import replace

from commands.context import Context, Repeat
from commands.define_role import DefinedRole, DefineRole, define_role
from commands.ports import KEYS_PER_ACTOR
from commands.register_user import RegisterUser, register_user
from commands.transact import Done
from domain.errors import IdempotencyKeysExhausted, RoleExists
from domain.ids import RoleName
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, PASSWORD, World
from tests.store.commits import commit, idempotency, stream, write


def keyed(ctx: Context, name: str) -> Context:
    return replace(ctx, repeat=Repeat(key=name.encode().ljust(32), digest=b"d" * 32))


async def define(world: World, ctx: Context, name: str) -> Done[DefinedRole]:
    return await define_role(DefineRole(name=RoleName(name), permissions=(), description="rarely read"), keyed(ctx, name), world.ports)


async def keep_keys(world: World, actor: str, number: int) -> None:
    kept = [commit(write(stream(), 0), idempotency=idempotency(), actor=actor) for _ in range(number)]
    await asyncio.gather(*(world.memory.append(c) for c in kept))


async def test_threat_4_a_principal_at_the_cap_gets_no_new_key_and_no_work_is_done(world: World, admin: Context) -> None:
    await keep_keys(world, admin.actor, KEYS_PER_ACTOR)
    calls: list[str] = []
    world.use(store=Recording("store", world.store, calls), vault=Recording("vault", world.vault, calls))
    with pytest.raises(IdempotencyKeysExhausted):
        await define(world, admin, "editor")
    assert calls == ["store.find_outcome()"]


async def test_a_known_key_still_gives_its_answer_at_the_cap(world: World, admin: Context) -> None:
    first = await define(world, admin, "editor")
    await keep_keys(world, admin.actor, KEYS_PER_ACTOR)
    again = await define(world, admin, "editor")
    assert (again.result, again.appended) == (first.result, False)


async def test_a_request_without_a_key_is_done_at_the_cap(world: World, admin: Context) -> None:
    await keep_keys(world, admin.actor, KEYS_PER_ACTOR)
    assert (await define_role(DefineRole(name=RoleName("editor"), permissions=()), admin, world.ports)).appended


async def test_who_loses_a_race_for_the_last_key_hears_what_refuses_it(world: World, admin: Context) -> None:
    await keep_keys(world, admin.actor, KEYS_PER_ACTOR - 1)

    async def faster(_: object) -> None:
        await define_role(DefineRole(name=RoleName("editor"), permissions=()), keyed(admin, "faster"), world.ports)

    world.store.overtake = faster
    with pytest.raises(RoleExists):
        await define(world, admin, "editor")


async def test_threat_4_strangers_cannot_use_up_the_keys_of_all_who_register(world: World) -> None:
    await keep_keys(world, ANYBODY.actor, KEYS_PER_ACTOR)
    wish = RegisterUser(email="ada@example.org", password=PASSWORD)
    assert (await register_user(wish, keyed(ANYBODY, "ada"), world.ports)).appended
