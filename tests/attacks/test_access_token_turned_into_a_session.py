"""An access token lives for minutes; whoever steals one must not get a refresh token for it, which lives for months."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from adapters.hashing.hasher import Argon2Hasher
from api.problems import answer as answer_to
from commands.issue_token import IssueToken, issue_token
from commands.reauthenticate import Reauthenticate, reauthenticate
from commands.revoke_session import PROOF_MAX_AGE, revoke_other_sessions
from commands.token_answer import SignedIn
from domain.errors import ReauthenticationRequired
from domain.user_events import SignedOutEverywhere
from tests.commands.world import ANYBODY, PASSWORD, World, make_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    world = await make_world(hasher)
    await world.register("ada")
    yield world
    hasher.close()


async def refreshed_much_later(world: World) -> SignedIn:
    signed_in = await world.sign_in("ada")
    world.clock.forward(PROOF_MAX_AGE + 1)
    return await issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)


async def test_ending_the_others_with_a_stolen_token_gives_no_refresh_token(world: World) -> None:
    owner = await refreshed_much_later(world)
    stolen = await world.ctx(owner)
    with pytest.raises(ReauthenticationRequired):
        await revoke_other_sessions(stolen, world.ports)
    assert world.happened(SignedOutEverywhere) == []
    await issue_token(IssueToken(refresh_token=owner.refresh_token), ANYBODY, world.ports)


async def test_who_shows_the_password_again_may(world: World) -> None:
    ctx = await world.ctx(await refreshed_much_later(world))
    proof = await reauthenticate(Reauthenticate(password=PASSWORD), ctx, world.ports)
    fresh = await world.principal(proof.result.access_token)
    kept = await revoke_other_sessions(replace(ANYBODY, principal=fresh), world.ports)
    assert await world.is_live(await world.ctx(kept.result))


async def test_who_signed_in_just_now_may(world: World) -> None:
    ctx = await world.ctx(await world.sign_in("ada"))
    world.clock.forward(200)
    await revoke_other_sessions(ctx, world.ports)


def test_the_answer_says_what_to_do() -> None:
    answer = answer_to(ReauthenticationRequired())
    assert answer.status == 401
    assert (b"www-authenticate", b'Bearer realm="minos", error="insufficient_user_authentication", max_age="900"') in answer.headers
