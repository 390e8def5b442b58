"""One successor for each refresh token (threats.md 1)."""

import asyncio

import pytest

from adapters.secrets_store import KeyVersions, Purpose
from commands.audiences import RetireAudience, retire_audience
from commands.change_password import ChangePassword, change_password
from commands.grant_role import GrantRole, grant_role
from commands.issue_token import IssueToken, issue_token
from commands.revoke_session import revoke_other_sessions
from commands.sign_out import SignOut, sign_out
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from commands.token_answer import SignedIn
from domain.errors import AudienceNotAllowed, Contended, InvalidRefreshToken, RefreshTokenReused
from domain.ids import AudienceName
from domain.session_events import EndReason, RefreshReused, TokenIssued
from domain.session_state import Ended
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

NEXT_PASSWORD = "another horse battery"


async def refresh(world: World, token: str, audience: str | None = None) -> SignedIn:
    return await issue_token(IssueToken(refresh_token=token, audience=audience), ANYBODY, world.ports)  # type: ignore[arg-type]


async def begin(world: World) -> SignedIn:
    await world.register("ada")
    return await world.sign_in("ada")


def with_secret_of(token: str, forged: str) -> str:
    return ".".join([*token.split(".")[:3], forged])


def with_generation(token: str, generation: int) -> str:
    head, _, version, secret = token.split(".")
    return f"{head}.{generation}.{version}.{secret}"


async def test_a_refresh_rotates(world: World) -> None:
    first = await begin(world)
    second = await refresh(world, first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert (second.session_id, second.user_id, second.device_token) == (first.session_id, first.user_id, None)
    assert (await world.claims(second.access_token)).sid == str(first.session_id)


async def test_64_refreshes_at_once_are_one_rotation_and_one_answer(world: World) -> None:
    first = await begin(world)
    answers = await asyncio.gather(*(refresh(world, first.refresh_token) for _ in range(64)))
    assert len({a.refresh_token for a in answers}) == 1
    assert len(world.happened(TokenIssued)) == 2
    assert len({a.access_token for a in answers}) == 64


async def test_an_access_token_of_a_repeat_is_newly_signed_for_the_same_audience(world: World) -> None:
    first = await begin(world)
    second = await refresh(world, first.refresh_token)
    world.clock.forward(9)
    again = await refresh(world, first.refresh_token)
    one, two = await world.claims(second.access_token), await world.claims(again.access_token)
    assert (one.aud, one.sid, one.auth_time) == (two.aud, two.sid, two.auth_time)
    assert two.iat == one.iat + 9
    assert one.jti != two.jti


async def test_outside_the_grace_the_family_ends_once_and_nothing_more_is_written(world: World) -> None:
    first = await begin(world)
    second = await refresh(world, first.refresh_token)
    world.clock.forward(10)
    answers = await asyncio.gather(*(refresh(world, first.refresh_token) for _ in range(8)), return_exceptions=True)
    assert sorted(type(a).__name__ for a in answers) == ["InvalidRefreshToken"] * 7 + ["RefreshTokenReused"]
    [reused] = world.happened(RefreshReused)
    assert isinstance(reused, RefreshReused)
    assert (reused.generation, reused.current_generation) == (1, 2)
    written = len(world.memory.log)
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(InvalidRefreshToken):
            await refresh(world, token)
    assert len(world.memory.log) == written
    ended = await world.session_of(first.session_id)
    assert isinstance(ended, Ended)
    assert ended.reason is EndReason.REFRESH_REUSED


async def test_a_thief_and_an_owner_who_both_refresh_end_the_family(world: World) -> None:
    first = await begin(world)
    second = await refresh(world, first.refresh_token)
    await refresh(world, second.refresh_token)
    with pytest.raises(RefreshTokenReused):
        await refresh(world, first.refresh_token)


async def test_a_forged_secret_signs_nobody_out_and_writes_nothing(world: World) -> None:
    """Who knows a session's id must not be able to end it, or to grow the log."""
    first = await begin(world)
    second = await refresh(world, first.refresh_token)
    world.clock.forward(60)
    written = len(world.memory.log)
    forged = "A" * 43
    old_secret = first.refresh_token.rsplit(".", 1)[1]
    for token in (
        with_secret_of(second.refresh_token, forged),
        with_secret_of(first.refresh_token, forged),
        with_secret_of(second.refresh_token, old_secret),
        with_generation(second.refresh_token, 1),
        with_generation(second.refresh_token, 3),
        with_generation(first.refresh_token, 0),
        second.refresh_token.replace(".2.1.", ".2.7."),
        second.refresh_token + "A",
        "mrt_",
        "not a token",
    ):
        with pytest.raises(InvalidRefreshToken):
            await refresh(world, token)
    assert len(world.memory.log) == written
    await refresh(world, second.refresh_token)


async def test_a_token_of_another_session_opens_only_that_one(world: World) -> None:
    first = await begin(world)
    other = await world.sign_in("ada")
    crossed = first.refresh_token.replace(str(first.session_id), str(other.session_id))
    with pytest.raises(InvalidRefreshToken):
        await refresh(world, crossed)


async def test_a_refresh_cannot_reach_another_audience(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada", audience="tasks")
    written = len(world.memory.log)
    for audience in ("minos", "notes", "elsewhere"):
        with pytest.raises(AudienceNotAllowed):
            await refresh(world, signed_in.refresh_token, audience)
    assert len(world.memory.log) == written
    assert (await world.claims((await refresh(world, signed_in.refresh_token, "tasks")).access_token)).aud == "tasks"


async def test_an_audience_that_was_retired_gets_no_more_tokens(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada", audience="tasks")
    await retire_audience(RetireAudience(audience=AudienceName("tasks")), SYSTEM, world.ports)
    with pytest.raises(AudienceNotAllowed):
        await refresh(world, signed_in.refresh_token)


async def test_idle_and_absolute_limits_hold(world: World) -> None:
    first = await begin(world)
    world.set_policy(refresh_idle_ttl=1)
    world.clock.forward(14 * 86_400)
    with pytest.raises(InvalidRefreshToken):
        await refresh(world, first.refresh_token)
    token = (await world.sign_in("ada")).refresh_token
    world.set_policy(refresh_idle_ttl=14 * 86_400)
    token = (await world.sign_in("ada")).refresh_token
    for _ in range(8):
        world.clock.forward(10 * 86_400)
        answer = await refresh(world, token)
        token = answer.refresh_token
    world.clock.forward(10 * 86_400 - 60)
    answer = await refresh(world, token)
    assert (answer.expires_in, answer.refresh_expires_in) == (60, 60)
    world.clock.forward(60)
    with pytest.raises(InvalidRefreshToken):
        await refresh(world, answer.refresh_token)


async def test_no_refresh_after_sign_out_suspension_or_sign_out_everywhere(world: World) -> None:
    first = await begin(world)
    await sign_out(SignOut(), await world.claims(first.access_token), ANYBODY, world.ports)
    two, three = await world.sign_in("ada"), await world.sign_in("ada")
    await sign_out(SignOut(everywhere=True), await world.claims(two.access_token), ANYBODY, world.ports)
    four = await world.sign_in("ada")
    await suspend_user(SuspendUser(user_id=first.user_id), SYSTEM, world.ports)
    for dead in (first, two, three, four):
        with pytest.raises(InvalidRefreshToken):
            await refresh(world, dead.refresh_token)
    await reinstate_user(ReinstateUser(user_id=first.user_id), SYSTEM, world.ports)
    for dead in (first, two, three, four):
        with pytest.raises(InvalidRefreshToken):
            await refresh(world, dead.refresh_token)


@pytest.mark.parametrize("how", ["password", "others"])
async def test_the_token_from_before_a_password_change_has_no_grace(world: World, how: str) -> None:
    """Within ten seconds of the change a stolen token would otherwise have bought the new one."""
    first = await begin(world)
    ctx = await world.ctx(first)
    if how == "password":
        change = ChangePassword(current_password=PASSWORD, new_password=NEXT_PASSWORD)
        kept = (await change_password(change, ctx, world.ports)).result
    else:
        kept = (await revoke_other_sessions(ctx, world.ports)).result
    with pytest.raises(InvalidRefreshToken):
        await refresh(world, first.refresh_token)
    assert world.happened(RefreshReused) == []
    await refresh(world, kept.refresh_token)


async def test_a_refresh_overtaken_by_a_sign_out_is_refused(world: World) -> None:
    first = await begin(world)
    claims = await world.claims(first.access_token)

    async def overtake(_: object) -> None:
        await sign_out(SignOut(), claims, ANYBODY, world.ports)

    world.store.overtake = overtake
    with pytest.raises(InvalidRefreshToken):
        await refresh(world, first.refresh_token)


async def test_a_refresh_held_up_while_its_client_asked_again_and_went_on_ends_nothing(world: World) -> None:
    """Its append waited for a database that was away, longer than its client did: the token was the current one when it was shown."""
    first = await begin(world)
    newest = first

    async def overtake(_: object) -> None:
        nonlocal newest
        for _ in range(2):
            newest = await refresh(world, newest.refresh_token)
            world.clock.forward(11)

    world.store.overtake = overtake
    with pytest.raises(Contended):
        await refresh(world, first.refresh_token)
    await refresh(world, newest.refresh_token)
    assert not world.happened(RefreshReused)
    with pytest.raises(RefreshTokenReused):
        await refresh(world, first.refresh_token)


async def test_a_refresh_held_up_while_its_client_asked_again_is_a_repeat(world: World) -> None:
    first = await begin(world)

    async def overtake(_: object) -> None:
        await refresh(world, first.refresh_token)
        world.clock.forward(9)

    world.store.overtake = overtake
    late = await refresh(world, first.refresh_token)
    assert len(world.happened(TokenIssued)) == 2
    await refresh(world, late.refresh_token)


async def test_a_refresh_sees_new_roles(world: World) -> None:
    first = await begin(world)
    await grant_role(GrantRole(user_id=first.user_id, role="admin"), SYSTEM, world.ports)  # type: ignore[arg-type]
    claims = await world.claims((await refresh(world, first.refresh_token)).access_token)
    assert (claims.roles, claims.roles_version) == (("admin", "user"), 2)


async def test_a_refresh_key_that_turned_still_reads_its_old_tokens(world: World) -> None:
    first = await begin(world)
    old = world.secrets.of(Purpose.REFRESH)
    versions = {purpose: world.secrets.of(purpose) for purpose in Purpose}
    world.secrets.replace({**versions, Purpose.REFRESH: KeyVersions(2, {**old.keys, 2: b"2" * 64})})
    second = await refresh(world, first.refresh_token)
    assert second.refresh_token.split(".")[2] == "2"
    assert (await refresh(world, first.refresh_token)).refresh_token == second.refresh_token
