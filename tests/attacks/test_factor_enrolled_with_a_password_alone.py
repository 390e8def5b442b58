"""Where a factor is demanded whoever has none enrols one with the password alone. That must be no way round one that is there."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.enrol_at_sign_in import (
    ConfirmTotpAtSignIn,
    OfferAtSignIn,
    confirm_totp_at_sign_in,
    offer_passkey_at_sign_in,
    offer_totp_at_sign_in,
)
from commands.factor_policy import AskOfRole, ask_of_role
from commands.ports import Commit
from commands.sign_in_challenge import EnrolmentRequired, Factor
from domain.errors import InvalidChallenge, InvalidFactor
from domain.factor_events import PasskeyRegistered, TotpConfirmed
from domain.factor_policy import Requirement
from domain.role import USER
from domain.session_events import SessionStarted
from tests.commands.authenticator import Telephone, challenged, enrolled
from tests.commands.world import ANYBODY, SYSTEM, World, make_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def demand(world: World, requirement: Requirement = Requirement.ANY) -> None:
    await ask_of_role(AskOfRole(role=USER, requirement=requirement), SYSTEM, world.ports)


async def to_enrol(world: World) -> str:
    answer = await world.show_password("ada")
    assert isinstance(answer, EnrolmentRequired)
    return answer.challenge


async def shown_seed(world: World, challenge: str) -> Telephone:
    offer = await offer_totp_at_sign_in(OfferAtSignIn(challenge=challenge), ANYBODY, world.ports)
    return Telephone(world, base64.b32decode(offer.secret))


@pytest.mark.parametrize("requirement", Requirement)
async def test_beside_one_that_is_there(world: World, requirement: Requirement) -> None:
    await enrolled(await world.enter("ada"), world)
    await demand(world, requirement)
    challenge = await challenged(world)
    for offer in (
        offer_totp_at_sign_in(OfferAtSignIn(challenge=challenge), ANYBODY, world.ports),
        offer_passkey_at_sign_in(OfferAtSignIn(challenge=challenge), world.ports),
    ):
        with pytest.raises(InvalidChallenge):
            await offer


async def test_where_none_is_demanded_any_more(world: World) -> None:
    await world.register("ada")
    await demand(world)
    challenge = await to_enrol(world)
    await demand(world, Requirement.NONE)
    with pytest.raises(InvalidChallenge):
        await shown_seed(world, challenge)


async def test_with_a_challenge_from_before_there_was_one(world: World) -> None:
    ctx = await world.enter("ada")
    await demand(world)
    challenge = await to_enrol(world)
    await enrolled(ctx, world)
    with pytest.raises(InvalidChallenge):
        await shown_seed(world, challenge)


async def test_in_the_moment_in_which_another_is_enrolled(world: World) -> None:
    ctx = await world.enter("ada")
    await demand(world)
    challenge = await to_enrol(world)
    mallorys, began = await shown_seed(world, challenge), len(world.happened(SessionStarted))
    seed = mallorys.code()

    async def owner_enrols(_commit: Commit) -> None:
        await enrolled(ctx, world)

    world.store.overtake = owner_enrols
    with pytest.raises((InvalidChallenge, InvalidFactor)):
        await confirm_totp_at_sign_in(ConfirmTotpAtSignIn(challenge=challenge, code=seed), ANYBODY, world.ports)
    assert (len(world.happened(TotpConfirmed)), len(world.happened(SessionStarted))) == (1, began)


async def test_with_a_recovery_code_in_place_of_the_factor(world: World) -> None:
    telephone = await enrolled(await world.enter("ada"), world)
    await demand(world, Requirement.PHISHING_RESISTANT)
    wish = CompleteSignIn(challenge=await challenged(world), factor=Factor.RECOVERY_CODE, code=telephone.recovery_codes[0])
    with pytest.raises(InvalidFactor):
        await complete_sign_in(wish, ANYBODY, world.ports)
    assert world.happened(PasskeyRegistered) == []


async def test_many_times_at_once_with_one_challenge(world: World) -> None:
    await world.register("ada")
    await demand(world)
    challenge = await to_enrol(world)
    code = (await shown_seed(world, challenge)).code()
    wish = ConfirmTotpAtSignIn(challenge=challenge, code=code)
    answers = await asyncio.gather(*(confirm_totp_at_sign_in(wish, ANYBODY, world.ports) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert (len(world.happened(TotpConfirmed)), len(world.happened(SessionStarted))) == (1, 1)
