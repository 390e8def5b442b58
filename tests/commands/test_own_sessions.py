"""What people do with their own sessions and passwords."""

import asyncio
from typing import Any

import pytest

from adapters.guard import OWN_BUDGET
from commands.change_password import ChangePassword, change_password
from commands.context import Context
from commands.end_session import EndAllSessions, end_all_sessions
from commands.identify import identify, standing
from commands.issue_token import IssueToken, issue_token
from commands.ports import AttemptOutcome
from commands.reauthenticate import Reauthenticate, reauthenticate
from commands.revoke_session import RevokeSession, revoke_other_sessions, revoke_session
from commands.sign_out import SignOut, sign_out
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain.assurance import Acr
from domain.errors import InvalidCredentials, InvalidToken, NoSuchSession, PasswordUnacceptable, SessionEnded
from domain.ids import SessionId
from domain.session_events import Reauthenticated, SessionRebased, SessionRevoked
from domain.sign_in_guard import DELAY_AFTER
from domain.user_events import PasswordSet, SignedOutEverywhere
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

NEXT_PASSWORD = "another horse battery"
CHANGE = ChangePassword(current_password=PASSWORD, new_password=NEXT_PASSWORD)


def me(ctx: Context) -> Any:
    assert ctx.principal is not None
    return ctx.principal


async def test_one_own_session_ends_and_the_others_live(world: World) -> None:
    ctx = await world.enter("ada")
    other = await world.ctx(await world.sign_in("ada"))
    await revoke_session(RevokeSession(session_id=me(other).session_id), ctx, world.ports)
    assert not await world.is_live(other)
    assert await world.is_live(ctx)


async def test_ending_an_ended_session_changes_nothing(world: World) -> None:
    ctx = await world.enter("ada")
    other = await world.ctx(await world.sign_in("ada"))
    wish = RevokeSession(session_id=me(other).session_id)
    assert (await revoke_session(wish, ctx, world.ports)).appended
    assert not (await revoke_session(wish, ctx, world.ports)).appended
    assert len(world.happened(SessionRevoked)) == 1


async def test_anothers_session_is_not_found_and_lives_on(world: World) -> None:
    ada, bob = await world.enter("ada"), await world.enter("bob")
    with pytest.raises(NoSuchSession):
        await revoke_session(RevokeSession(session_id=me(bob).session_id), ada, world.ports)
    with pytest.raises(NoSuchSession):
        await revoke_session(RevokeSession(session_id=SessionId(world.ports.random.uuid7())), ada, world.ports)
    assert await world.is_live(bob)


async def test_nobody_revokes_nothing(world: World) -> None:
    ada = await world.enter("ada")
    for wish in (
        revoke_session(RevokeSession(session_id=me(ada).session_id), ANYBODY, world.ports),
        revoke_other_sessions(ANYBODY, world.ports),
        change_password(CHANGE, ANYBODY, world.ports),
        reauthenticate(Reauthenticate(password=PASSWORD), ANYBODY, world.ports),
    ):
        with pytest.raises(InvalidToken):
            await wish


async def test_signing_out_the_others_keeps_this_one_with_a_new_pair(world: World) -> None:
    first = await world.register("ada") and await world.sign_in("ada")
    ctx, others = await world.ctx(first), [await world.ctx(await world.sign_in("ada")) for _ in range(3)]
    kept = (await revoke_other_sessions(ctx, world.ports)).result
    assert [await world.is_live(other) for other in others] == [False] * 3
    assert kept.session_id == first.session_id
    await world.principal(kept.access_token)
    await issue_token(IssueToken(refresh_token=kept.refresh_token), ANYBODY, world.ports)
    with pytest.raises(InvalidToken):
        await world.principal(first.access_token)


async def test_a_password_change_keeps_this_session_and_ends_the_others(world: World) -> None:
    ctx = await world.enter("ada")
    other = await world.ctx(await world.sign_in("ada"))
    kept = (await change_password(CHANGE, ctx, world.ports)).result
    assert await world.is_live(ctx)
    assert not await world.is_live(other)
    await world.principal(kept.access_token)
    await world.sign_in("ada", NEXT_PASSWORD)
    with pytest.raises(InvalidCredentials):
        await world.sign_in("ada", PASSWORD)


async def test_each_password_has_a_key_of_its_own(world: World) -> None:
    await change_password(CHANGE, await world.enter("ada"), world.ports)
    keys = [e.password.key_id for e in world.happened(PasswordSet) if isinstance(e, PasswordSet)]
    assert len(set(keys)) == len(keys) == 2


async def test_a_wrong_current_password_changes_nothing_and_is_counted(world: World) -> None:
    ctx = await world.enter("ada")
    before = len(world.memory.log)
    for _ in range(OWN_BUDGET + DELAY_AFTER + 1):
        with pytest.raises(InvalidCredentials):
            await change_password(ChangePassword(current_password="wrong", new_password=NEXT_PASSWORD), ctx, world.ports)
    assert len(world.memory.log) == before
    assert [a[2] for a in world.guard.attempts] == [AttemptOutcome.WRONG_PASSWORD] * (OWN_BUDGET + DELAY_AFTER), "a lock spares the hashers"
    with pytest.raises(InvalidCredentials):
        await change_password(CHANGE, ctx, world.ports)


async def test_a_guessable_new_password_is_refused(world: World) -> None:
    ctx = await world.enter("lovelace")
    for password in ("short", "my lovelace password", "a" * 20):
        with pytest.raises(PasswordUnacceptable):
            await change_password(ChangePassword(current_password=PASSWORD, new_password=password), ctx, world.ports)


async def test_of_two_password_changes_at_once_one_is_refused(world: World) -> None:
    ctx = await world.enter("ada")
    answers = await asyncio.gather(*(change_password(CHANGE, ctx, world.ports) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(a, InvalidCredentials | SessionEnded) for a in answers) == 1
    assert len(world.happened(PasswordSet)) == 2


DEADLY = {
    "sign out everywhere": lambda ctx, claims, w: sign_out(SignOut(everywhere=True), claims, ANYBODY, w.ports),
    "sign out": lambda ctx, claims, w: sign_out(SignOut(), claims, ANYBODY, w.ports),
    "administrator": lambda ctx, claims, w: end_all_sessions(EndAllSessions(user_id=ctx.principal.user_id), SYSTEM, w.ports),
    "suspension": lambda ctx, claims, w: suspend_and_reinstate(ctx, w),
}


async def suspend_and_reinstate(ctx: Context, world: World) -> None:
    await suspend_user(SuspendUser(user_id=me(ctx).user_id), SYSTEM, world.ports)
    await reinstate_user(ReinstateUser(user_id=me(ctx).user_id), SYSTEM, world.ports)


ALIVE_WISHES = {
    "others": lambda ctx, w: revoke_other_sessions(ctx, w.ports),
    "password": lambda ctx, w: change_password(CHANGE, ctx, w.ports),
    "reauthenticate": lambda ctx, w: reauthenticate(Reauthenticate(password=PASSWORD), ctx, w.ports),
}


@pytest.mark.parametrize("death", list(DEADLY))
@pytest.mark.parametrize("wish", list(ALIVE_WISHES))
@pytest.mark.parametrize("when", ["before", "between load and append"])
async def test_a_session_that_died_meanwhile_is_not_brought_back(world: World, death: str, wish: str, when: str) -> None:
    """A thief's request under way must not carry the stolen session over the epoch that was raised to kill it."""
    await world.register("ada")
    stolen = await world.sign_in("ada")
    ctx, claims = await world.ctx(stolen), await world.claims(stolen.access_token)

    async def die(_: object = None) -> None:
        await DEADLY[death](ctx, claims, world)

    if when == "before":
        await die()
    else:
        world.store.overtake = die
    with pytest.raises((SessionEnded, InvalidToken)):
        await ALIVE_WISHES[wish](ctx, world)
    assert not await world.is_live(ctx)
    assert world.happened(SessionRebased) == []


async def test_reauthenticating_gives_a_fresh_time_to_the_token_it_returns_and_to_no_later_one(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    began = world.clock.timestamp()
    world.clock.forward(100)
    proven = (await reauthenticate(Reauthenticate(password=PASSWORD), await world.ctx(signed_in), world.ports)).result
    claims = await world.claims(proven.access_token)
    assert (claims.auth_time, claims.sid) == (began + 100, str(signed_in.session_id))
    assert (claims.acr, claims.amr) == (Acr.ONE_FACTOR, ("pwd",))
    assert len(world.happened(Reauthenticated)) == 1
    refreshed = await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    assert (await world.claims(refreshed.access_token)).auth_time == began


async def test_a_wrong_password_reauthenticates_nobody(world: World) -> None:
    ctx = await world.enter("ada")
    with pytest.raises(InvalidCredentials):
        await reauthenticate(Reauthenticate(password="wrong"), ctx, world.ports)
    assert world.happened(Reauthenticated) == []


async def test_signing_out_is_idempotent_and_refused_to_no_one_who_was_in(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    claims = await world.claims(signed_in.access_token)
    for _ in range(3):
        await sign_out(SignOut(), claims, ANYBODY, world.ports)
    assert len(world.happened(SessionRevoked)) == 1
    with pytest.raises(InvalidToken):
        await identify(claims, world.ports)
    with pytest.raises(InvalidToken):
        await standing(claims, world.ports)


async def test_signing_out_everywhere_ends_all_at_once(world: World) -> None:
    ctxs = [await world.enter("ada"), await world.ctx(await world.sign_in("ada"))]
    signed_in = await world.sign_in("ada")
    claims = await world.claims(signed_in.access_token)
    await sign_out(SignOut(everywhere=True), claims, ANYBODY, world.ports)
    await sign_out(SignOut(everywhere=True), claims, ANYBODY, world.ports)
    assert [await world.is_live(ctx) for ctx in ctxs] == [False, False]
    assert len(world.happened(SignedOutEverywhere)) == 1


async def test_a_dead_token_signs_nobody_out_everywhere(world: World) -> None:
    await world.register("ada")
    old = await world.sign_in("ada")
    claims = await world.claims(old.access_token)
    await sign_out(SignOut(), claims, ANYBODY, world.ports)
    ctx = await world.ctx(await world.sign_in("ada"))
    await sign_out(SignOut(everywhere=True), claims, ANYBODY, world.ports)
    assert await world.is_live(ctx)


async def test_the_standing_of_a_live_session_is_told(world: World) -> None:
    user_id = await world.register("ada")
    signed_in = await world.sign_in("ada")
    told = await standing(await world.claims(signed_in.access_token), world.ports)
    assert (told.active, told.user_id, told.session_id, told.roles) == (True, user_id, signed_in.session_id, ("user",))
    assert told.auth_time == world.clock.now
