"""No way back to an earlier password, as many of them as are remembered; and what is not is lost for good."""

import unicodedata

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.change_password import ChangePassword, change_password
from commands.context import Context
from domain import user
from domain.errors import PasswordUnacceptable, StoreUnavailable
from domain.event import Erased, Sealed
from domain.ids import StreamName, UserId
from domain.user_events import PasswordSet, PasswordsForgotten
from tests.commands.world import PASSWORD, World

PHRASES = [f"{word} hangs on the line" for word in ("laundry", "telephone", "mackerel", "lantern", "violin", "kettle", "umbrella")]


async def change(world: World, ctx: Context, old: str, new: str) -> Context:
    """The context of the session as it goes on."""
    done = await change_password(ChangePassword(current_password=old, new_password=new), ctx, world.ports)
    return await world.ctx(done.result)


async def through(world: World, ctx: Context, *passwords: str) -> Context:
    for old, new in zip((PASSWORD, *passwords), passwords, strict=False):
        ctx = await change(world, ctx, old, new)
    return ctx


def me(ctx: Context) -> UserId:
    assert ctx.principal is not None
    return ctx.principal.user_id


async def is_lost(world: World, ctx: Context, sealed: Sealed) -> bool:
    return await world.ports.vault.open(sealed, stream=user.stream(me(ctx)), field="password") == Erased()


async def test_acc_11_the_last_passwords_are_refused_and_the_one_before_them_is_not(world: World) -> None:
    world.set_policy(password_history=2)
    ctx = await through(world, await world.enter("ada"), *PHRASES[:3])
    for known in PHRASES[:3]:
        with pytest.raises(PasswordUnacceptable, match="of this account"):
            await change(world, ctx, PHRASES[2], known)
    await change(world, ctx, PHRASES[2], PASSWORD)


async def test_the_present_password_is_refused_even_without_a_history(world: World) -> None:
    world.set_policy(password_history=0)
    ctx = await world.enter("ada")
    with pytest.raises(PasswordUnacceptable, match="of this account"):
        await change(world, ctx, PASSWORD, PASSWORD)
    await through(world, ctx, PHRASES[0], PASSWORD)


async def test_the_same_password_in_other_code_points_is_the_same(world: World) -> None:
    composed = "die Brücke über den Fluß"
    ctx = await through(world, await world.enter("ada"), composed, PHRASES[0])
    for form in ("NFD", "NFKD"):
        with pytest.raises(PasswordUnacceptable, match="of this account"):
            await change(world, ctx, PHRASES[0], unicodedata.normalize(form, composed))  # type: ignore[arg-type]  # one of its names


async def test_threat_12_a_password_that_left_the_history_cannot_be_opened_any_more(world: World) -> None:
    world.set_policy(password_history=1)
    ctx = await through(world, await world.enter("ada"), *PHRASES[:3])
    passwords = [e.password for e in world.happened(PasswordSet) if isinstance(e, PasswordSet)]
    assert [await is_lost(world, ctx, each) for each in passwords] == [True, True, False, False]
    assert [e.remembered for e in world.happened(PasswordsForgotten) if isinstance(e, PasswordsForgotten)] == [1, 1]
    await world.sign_in("ada", PHRASES[2])


async def test_a_password_stays_changed_when_the_old_key_cannot_be_destroyed_now(world: World) -> None:
    vault = world.vault

    class Away:
        def __getattr__(self, name: str) -> object:
            return getattr(vault, name)

        async def destroy_left_passwords(self, subject: StreamName) -> None:
            raise StoreUnavailable

    world.use(vault=Away())
    world.set_policy(password_history=0)
    ctx = await world.enter("ada")
    await change(world, ctx, PASSWORD, PHRASES[0])
    await world.sign_in("ada", PHRASES[0])


async def test_a_smaller_history_holds_from_the_next_change_on(world: World) -> None:
    ctx = await through(world, await world.enter("ada"), *PHRASES[:3])
    world.set_policy(password_history=1)
    ctx = await change(world, ctx, PHRASES[2], PHRASES[0])
    assert len((await world.account(me(ctx))).earlier_passwords) == 1


async def test_one_account_has_one_thread_of_the_hashers_at_a_time(world: World, hasher: Argon2Hasher) -> None:
    """However much it remembers (threats.md 20)."""
    most = 0

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(hasher, name)

        async def verify(self, *arguments: object, **more: object) -> object:
            nonlocal most
            try:
                return await hasher.verify(*arguments, **more)  # type: ignore[arg-type]  # as they came
            finally:
                most = max(most, hasher._queue._threads - hasher._queue._free)

    ctx = await through(world, await world.enter("ada"), *PHRASES[:5])
    world.use(hasher=Counting())
    await change(world, ctx, PHRASES[4], PHRASES[5])
    assert most <= 1
