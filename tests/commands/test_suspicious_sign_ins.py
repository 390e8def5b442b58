"""A sign-in that is not like those before it is told, and nothing is asked of the database for it."""

from typing import Any

import pytest
from msgspec.structs import replace

from commands.context import Context
from commands.end_session import EndSession, end_session
from commands.review_session import Looked, NameDevice, ReviewSession, name_device, review_session
from commands.sign_in import SignIn, sign_in
from commands.token_answer import SignedIn
from domain.errors import InvalidCredentials, NoSuchSession
from domain.ids import SessionId
from domain.session_events import DeviceNamed, SessionFlagged, SessionReviewed
from domain.suspicion import Review, Signal
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

HOME = ANYBODY
ABROAD = replace(ANYBODY, network="198.51.100.0/24", user_agent="lynx/2")


async def from_(world: World, where: Context, password: str = PASSWORD, **more: Any) -> SignedIn:
    answer = await sign_in(SignIn(email="ada@example.org", password=password, **more), where, world.ports)
    assert isinstance(answer, SignedIn)
    return answer


def flagged(world: World) -> list[tuple[SessionId, tuple[Signal, ...]]]:
    return [(event.session_id, event.signals) for event in world.happened(SessionFlagged) if isinstance(event, SessionFlagged)]


async def fail(world: World, where: Context, times: int) -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await from_(world, where, "not the password")


@pytest.fixture(autouse=True)
async def ada(world: World) -> None:
    await world.register("ada")


async def test_the_first_sign_in_is_not_suspicious(world: World) -> None:
    await from_(world, ABROAD)
    assert flagged(world) == []


async def test_what_is_as_before_is_not_suspicious(world: World) -> None:
    for _ in range(3):
        await from_(world, HOME)
    assert flagged(world) == []


async def test_another_network_and_another_device_at_once_are(world: World) -> None:
    await from_(world, HOME)
    strange = await from_(world, ABROAD)
    assert flagged(world) == [(strange.session_id, (Signal.NEW_NETWORK, Signal.NEW_DEVICE))]
    await from_(world, ABROAD)
    assert len(flagged(world)) == 1, "the second time it is as before"


async def test_travelling_with_ones_own_laptop_is_not(world: World) -> None:
    home = await from_(world, HOME)
    await from_(world, replace(HOME, network="198.51.100.0/24"))
    assert home.device_token is not None
    await from_(world, replace(ABROAD, network="203.0.113.0/24"), device_token=home.device_token)
    assert flagged(world) == []


async def test_several_failures_before_are(world: World) -> None:
    await from_(world, HOME)
    await fail(world, HOME, 2)
    await from_(world, HOME)
    assert flagged(world) == []
    await fail(world, HOME, 3)
    await from_(world, HOME)
    assert [signals for _, signals in flagged(world)] == [(Signal.PRIOR_FAILURES,)]


async def test_what_a_failed_sign_in_looked_like_is_not_remembered(world: World) -> None:
    await from_(world, HOME)
    await fail(world, ABROAD, 1)
    await from_(world, ABROAD)
    assert len(flagged(world)) == 1, "or a wrong password would be enough to become familiar"


async def test_what_is_known_of_one_account_is_not_known_of_another(world: World) -> None:
    await world.register("bob")
    await sign_in(SignIn(email="bob@example.org", password=PASSWORD), ABROAD, world.ports)
    await from_(world, HOME)
    await from_(world, ABROAD)
    assert len(flagged(world)) == 1


async def test_another_score_may_judge(world: World) -> None:
    world.use(score=lambda found: Signal.NEW_NETWORK in found)
    await from_(world, HOME)
    await from_(world, replace(HOME, network="198.51.100.0/24"))
    assert [signals for _, signals in flagged(world)] == [(Signal.NEW_NETWORK,)]


async def suspicious(world: World) -> SignedIn:
    await from_(world, HOME)
    return await from_(world, ABROAD)


async def test_it_is_looked_into_also_when_it_is_over(world: World) -> None:
    session = await suspicious(world)
    assert (await world.session_of(session.session_id)).review is Review.OPEN
    wish = ReviewSession(user_id=session.user_id, session_id=session.session_id, review=Looked.ACKNOWLEDGED)
    for _ in range(2):
        await review_session(wish, SYSTEM, world.ports)
    await end_session(EndSession(user_id=session.user_id, session_id=session.session_id), SYSTEM, world.ports)
    await review_session(replace(wish, review=Looked.RESOLVED), SYSTEM, world.ports)
    assert (await world.session_of(session.session_id)).review is Review.RESOLVED
    assert len(world.happened(SessionReviewed)) == 2


async def test_what_is_not_suspicious_is_not_looked_into(world: World) -> None:
    plain = await from_(world, HOME)
    with pytest.raises(NoSuchSession):
        await review_session(ReviewSession(user_id=plain.user_id, session_id=plain.session_id, review=Looked.RESOLVED), SYSTEM, world.ports)


async def test_only_its_owner_names_a_device(world: World) -> None:
    mine = await from_(world, HOME)
    stranger = await world.enter("eve")
    with pytest.raises(NoSuchSession):
        await name_device(mine.session_id, NameDevice(device_name="hers now"), stranger, world.ports)
    await name_device(mine.session_id, NameDevice(device_name="kitchen"), await world.ctx(mine), world.ports)
    await name_device(mine.session_id, NameDevice(device_name=None), await world.ctx(mine), world.ports)
    named = [event for event in world.happened(DeviceNamed) if isinstance(event, DeviceNamed)]
    assert [event.device_name is None for event in named] == [False, True]
