"""An old hash gives way to one of today's parameters while its password is at hand, and no sign-in is refused for that."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.delete_user import DeleteUser, delete_user
from commands.prove_password import prove_password
from domain import user
from domain.errors import InvalidCredentials, Overloaded
from domain.event import Erased
from domain.ids import StreamName
from domain.user_events import PasswordRehashed
from tests.commands.world import PASSWORD, SYSTEM, World


@pytest.fixture(scope="module")
async def stronger() -> AsyncIterator[Argon2Hasher]:
    made = Argon2Hasher(memory_kib=16, passes=1, threads=2)
    yield made
    made.close()


async def test_a_hash_of_weaker_parameters_is_replaced_at_sign_in(world: World, stronger: Argon2Hasher) -> None:
    user_id = await world.register("ada")
    before = (await world.account(user_id)).password
    world.use(hasher=stronger)
    await world.sign_in("ada")
    after = await world.account(user_id)
    assert len(world.happened(PasswordRehashed)) == 1
    assert (after.password_version, after.token_epoch) == (1, 1)
    assert before is not None
    assert after.password is not None
    assert after.password.key_id != before.key_id
    assert await world.ports.vault.open(before, stream=user.stream(user_id), field="password") == Erased()
    await world.sign_in("ada")
    assert len(world.happened(PasswordRehashed)) == 1


class Overtaken:
    """A vault: just before the first password is opened, something else happens that takes its key away."""

    def __init__(self, inner: Any, first: Any) -> None:
        self._inner, self._first = inner, first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def open(self, sealed: Any, *, stream: StreamName, field: str) -> Any:
        first, self._first = self._first, None
        if first is not None:
            await first()
        return await self._inner.open(sealed, stream=stream, field=field)


async def test_a_hash_replaced_while_the_password_is_proved_again_is_no_wrong_password(world: World, stronger: Argon2Hasher) -> None:
    ctx = await world.enter("ada")
    vault = world.ports.vault
    world.use(hasher=stronger)

    async def other() -> None:
        world.use(vault=vault)
        await world.sign_in("ada")

    world.use(vault=Overtaken(vault, other))
    assert ctx.principal is not None
    await prove_password(PASSWORD, ctx.principal, ctx, world.ports)
    assert len(world.happened(PasswordRehashed)) == 1


async def test_a_hash_replaced_by_another_sign_in_is_no_wrong_password(world: World, stronger: Argon2Hasher) -> None:
    await world.register("ada")
    vault = world.ports.vault
    world.use(hasher=stronger)

    async def other() -> None:
        world.use(vault=vault)
        await world.sign_in("ada")

    world.use(vault=Overtaken(vault, other))
    await world.sign_in("ada")
    assert len(world.happened(PasswordRehashed)) == 1


async def test_sign_ins_at_once_replace_a_weak_hash_once_and_all_succeed(world: World, stronger: Argon2Hasher) -> None:
    await world.register("ada")
    world.use(hasher=stronger)
    await asyncio.gather(*(world.sign_in("ada") for _ in range(4)))
    assert len(world.happened(PasswordRehashed)) == 1
    await world.sign_in("ada")


async def test_who_is_deleted_while_their_hash_is_replaced_is_refused_as_anybody(world: World, stronger: Argon2Hasher) -> None:
    user_id = await world.register("ada")
    world.use(hasher=stronger)

    async def delete(_: object) -> None:
        await delete_user(DeleteUser(user_id=user_id), SYSTEM, world.ports)

    world.store.overtake = delete
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada")


async def test_hashers_too_busy_to_rehash_do_not_stop_a_sign_in(world: World, stronger: Argon2Hasher) -> None:
    await world.register("ada")

    class Busy:
        def require_room(self, **_: object) -> None:
            pass

        async def verify(self, encoded: str | None, password: str, **more: Any) -> Any:
            return await stronger.verify(encoded, password, **more)

        async def hash(self, password: str, **more: Any) -> str:
            raise Overloaded(1)

    world.use(hasher=Busy())
    await world.sign_in("ada")
    assert world.happened(PasswordRehashed) == []
