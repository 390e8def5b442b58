"""Guessing is slowed for strangers, and owners get in meanwhile (threats.md 16)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.hashing.hasher import Argon2Hasher
from adapters.memory_guard import MemoryGuard
from commands.change_password import ChangePassword, change_password
from commands.context import Context
from commands.ports import Ports
from commands.revoke_session import revoke_other_sessions
from commands.sign_in import SignIn, sign_in
from commands.token_answer import SignedIn
from domain import sign_in_guard
from domain.errors import InvalidCredentials
from domain.sign_in_guard import MOST_FAILURES, SignInLocked
from tests.commands.test_sign_in import WRONG, _locked, _suspended, attempt
from tests.commands.world import ANYBODY, ELSEWHERE, PASSWORD, World


async def test_the_fifth_failure_locks_and_only_a_real_accounts_lock_is_an_event(world: World) -> None:
    user_id = await world.register("ada")
    for _ in range(5):
        await attempt(world)
        await attempt(world, "nobody")
    [locked] = world.happened(SignInLocked)
    assert isinstance(locked, SignInLocked)
    assert (locked.user_id, locked.failures) == (user_id, 5)


async def test_a_lock_holds_against_the_right_password_and_ends_by_itself(world: World) -> None:
    await _locked(world)
    assert await attempt(world, password=PASSWORD) is not None
    world.clock.forward(61)
    assert await attempt(world, password=PASSWORD) is None


async def test_trying_during_a_lock_does_not_make_it_longer(world: World) -> None:
    await _locked(world)
    for _ in range(30):
        await attempt(world)
    world.clock.forward(61)
    assert await attempt(world, password=PASSWORD) is None


async def test_two_names_of_one_account_share_its_failures(world: World) -> None:
    """Otherwise a hundred guesses in a row would be two hundred (NIST SP 800-63B-4 3.2.2)."""
    await world.register("ada")
    for n in range(5):
        wish = SignIn(email="ada@example.org", password=WRONG) if n % 2 else SignIn(username="ada", password=WRONG)
        with pytest.raises(InvalidCredentials):
            await sign_in(wish, ANYBODY, world.ports)
    assert len(world.happened(SignInLocked)) == 1
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn(username="ada", password=PASSWORD), ANYBODY, world.ports)


async def test_after_a_hundred_guesses_no_password_is_looked_at_for_a_day(world: World, hasher: Argon2Hasher) -> None:
    await world.register("ada")
    tried = 0

    class Counting:
        def require_room(self, **_: object) -> None:
            pass

        async def verify(self, encoded: str | None, password: str, **more: Any) -> Any:
            nonlocal tried
            tried += encoded is not None
            return await hasher.verify(encoded, password, **more)

    world.use(hasher=Counting())
    for _ in range(120):
        await attempt(world)
        world.clock.forward(3_601)
    assert tried == MOST_FAILURES


async def test_a_known_device_gets_in_while_strangers_lock_the_account(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    for _ in range(5):
        await attempt(world, network=ELSEWHERE)
    assert await attempt(world, password=PASSWORD, network=ELSEWHERE) is not None
    assert await attempt(world, password=PASSWORD, device_token=signed_in.device_token) is None


async def test_a_known_device_has_a_budget_too(world: World) -> None:
    await world.register("ada")
    device = (await world.sign_in("ada")).device_token
    for _ in range(5):
        await attempt(world, network=ELSEWHERE)
    for _ in range(10):
        await attempt(world, device_token=device)
    assert await attempt(world, password=PASSWORD, device_token=device) is not None


async def test_a_device_is_not_known_to_another_account(world: World) -> None:
    await world.register("ada")
    await world.register("bob")
    device = (await world.sign_in("bob")).device_token
    for _ in range(5):
        await attempt(world)
    assert await attempt(world, password=PASSWORD, device_token=device) is not None


async def changed(ctx: Context, ports: Ports) -> SignedIn:
    wish = ChangePassword(current_password=PASSWORD, new_password=PASSWORD + "!")
    return (await change_password(wish, ctx, ports)).result


async def signed_out_elsewhere(ctx: Context, ports: Ports) -> SignedIn:
    return (await revoke_other_sessions(ctx, ports)).result


@pytest.mark.parametrize("react", [changed, signed_out_elsewhere])
async def test_who_reacts_to_an_attack_is_still_known(world: World, react: Callable[[Context, Ports], Awaitable[SignedIn]]) -> None:
    kept = await react(await world.enter("ada"), world.ports)
    for _ in range(5):
        await attempt(world)
    password = PASSWORD + "!" * (react is changed)
    assert await attempt(world, password=password) is not None
    assert await attempt(world, password=password, device_token=kept.device_token) is None


async def test_a_device_is_forgotten_with_the_epoch_it_signed_in_under(world: World) -> None:
    ctx = await world.enter("ada")
    device = (await world.sign_in("ada")).device_token
    await change_password(ChangePassword(current_password=PASSWORD, new_password="a new horse battery"), ctx, world.ports)
    for _ in range(5):
        await attempt(world)
    assert await attempt(world, password="a new horse battery", device_token=device) is not None


async def test_a_device_keeps_its_name_from_one_sign_in_to_the_next(world: World) -> None:
    await world.register("ada")
    first = (await world.sign_in("ada")).device_token
    second = (await world.sign_in("ada", device_token=first)).device_token
    assert first is not None
    assert second is not None
    one, two = world.ports.mint.read_device_token(first), world.ports.mint.read_device_token(second)
    assert one is not None
    assert one == two


async def test_a_sign_in_empties_the_counter(world: World) -> None:
    await world.register("ada")
    for _ in range(3):
        for _ in range(4):
            await attempt(world)
        assert await attempt(world, password=PASSWORD) is None
    assert world.happened(SignInLocked) == []


async def test_a_right_password_of_a_suspended_account_empties_no_counter(world: World) -> None:
    await _suspended(world)
    for _ in range(5):
        await attempt(world, password=PASSWORD)
    assert len(world.happened(SignInLocked)) == 1


async def test_after_a_crash_of_the_counters_a_recently_locked_name_starts_where_waits_begin(world: World) -> None:
    await _locked(world)
    world.clock.forward(120)
    world.use(guard=MemoryGuard(world.clock))
    await attempt(world)
    await attempt(world)
    assert len(world.happened(SignInLocked)) == 2
    assert await attempt(world, password=PASSWORD) is not None


async def test_a_lock_of_the_day_before_is_not_recalled_after_a_crash(world: World) -> None:
    await _locked(world)
    world.clock.forward(sign_in_guard.COUNTER_TTL + 1)
    world.use(guard=MemoryGuard(world.clock))
    await attempt(world)
    await attempt(world)
    assert await attempt(world, password=PASSWORD) is None
