"""One session more than are allowed ends the oldest, in the append that begins it."""

import asyncio
from collections.abc import Sequence

import pytest

from commands.issue_token import IssueToken, issue_token
from commands.revoke_session import RevokeSession, revoke_session
from commands.token_answer import SignedIn
from domain.ids import AudienceName, SessionId, UserId
from domain.session_events import EndReason, SessionStarted
from domain.session_state import Ended, Live
from tests.commands.world import ANYBODY, World


class FromTheLog:
    """All that began, whether or not it lives: a read model may be as far behind as that."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def of(self, user_id: UserId, audience: AudienceName) -> Sequence[SessionId]:
        begun = [event for event in self.world.happened(SessionStarted) if isinstance(event, SessionStarted)]
        return [event.session_id for event in begun if event.user_id == user_id and audience in event.audiences]


@pytest.fixture(autouse=True)
async def limited(world: World) -> None:
    await world.register("ada")
    world.set_policy(sessions_per_user=2)
    world.use(open_sessions=FromTheLog(world))


async def alive(world: World, *sessions: SignedIn) -> list[bool]:
    return [isinstance(await world.session_of(each.session_id), Live) for each in sessions]


async def test_one_more_ends_the_oldest(world: World) -> None:
    three = [await world.sign_in("ada") for _ in range(3)]
    assert await alive(world, *three) == [False, True, True]
    oldest = await world.session_of(three[0].session_id)
    assert isinstance(oldest, Ended)
    assert oldest.reason is EndReason.SESSION_LIMIT


async def test_what_has_ended_takes_no_place(world: World) -> None:
    one, two = await world.sign_in("ada"), await world.sign_in("ada")
    await revoke_session(RevokeSession(session_id=two.session_id), await world.ctx(one), world.ports)
    three = await world.sign_in("ada")
    assert await alive(world, one, two, three) == [True, False, True]


async def test_sessions_elsewhere_and_of_others_do_not_count(world: World) -> None:
    await world.register("bob")
    sessions = [await world.sign_in("ada"), await world.sign_in("ada"), await world.sign_in("ada", audience="tasks")]
    sessions.append(await world.sign_in("bob"))
    assert await alive(world, *sessions) == [True] * 4


async def test_sign_ins_at_once_all_succeed_and_the_next_one_tidies_up(world: World) -> None:
    together = await asyncio.gather(*(world.sign_in("ada") for _ in range(5)))
    last = await world.sign_in("ada")
    assert sum(await alive(world, *together, last)) == 2
    assert await alive(world, last) == [True]


async def test_an_older_session_that_refreshes_meanwhile_does_not_keep_a_new_one_out(world: World) -> None:
    one, _ = await world.sign_in("ada"), await world.sign_in("ada")

    async def refresh(_: object) -> None:
        await issue_token(IssueToken(refresh_token=one.refresh_token), ANYBODY, world.ports)

    world.store.overtake = refresh
    three = await world.sign_in("ada")
    assert await alive(world, one, three) == [False, True]


async def test_without_a_limit_nobody_is_asked(world: World) -> None:
    class Unasked:
        async def of(self, user_id: UserId, audience: AudienceName) -> Sequence[SessionId]:
            raise AssertionError

    world.set_policy(sessions_per_user=0)
    world.use(open_sessions=Unasked())
    sessions = [await world.sign_in("ada") for _ in range(4)]
    assert await alive(world, *sessions) == [True] * 4
