"""Codes by mail have a million values: sending one again, or asking for the next, must buy no more tries; nor be the way round mail."""

from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.factor_policy import AskOfRole, ask_of_role
from commands.mailed_codes import ask_for_code, offer_mailed_codes
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.resend_code import ResendCode, resend_code
from commands.sign_in_challenge import EnrolmentRequired, Factor, choices
from domain import factors
from domain.errors import FactorPaused, InvalidChallenge, InvalidFactor
from domain.factor_guard import PAUSE_AFTER, TRIES
from domain.factor_policy import Requirement
from domain.role import USER
from domain.session_events import SessionStarted
from tests.commands.authenticator import challenged, complete
from tests.commands.mailed import Reader, enabled, reader
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World, make_world

EMAIL = Factor.EMAIL


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def ada(world: World) -> Reader:
    return await enabled(*await reader(world))


async def guess(world: World, challenge: str, mail: Reader) -> None:
    with pytest.raises(InvalidFactor):
        await complete(world, challenge, mail.wrong_code(), EMAIL)


async def test_otp_attempts_reset_by_a_resend(world: World) -> None:
    mail = await ada(world)
    challenge = await challenged(world)
    for _ in range(TRIES - 1):
        await guess(world, challenge, mail)
    await resend_code(ResendCode(challenge=challenge), world.ports)
    await guess(world, challenge, mail)
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, mail.code(), EMAIL)


async def test_otp_08_guesses_over_many_challenges_pause_the_factor(world: World) -> None:
    mail = await ada(world)
    tried = 0
    while tried < PAUSE_AFTER:
        challenge = await challenged(world)
        for _ in range(min(TRIES, PAUSE_AFTER - tried)):
            await guess(world, challenge, mail)
            tried += 1
    challenge = await challenged(world)
    with pytest.raises(FactorPaused):
        await complete(world, challenge, mail.code(), EMAIL)


async def test_otp_08_who_knows_the_password_keeps_no_known_device_out(world: World) -> None:
    mail = await ada(world)
    device = (await complete(world, await challenged(world), mail.code(), EMAIL)).device_token
    assert device is not None
    for _ in range(PAUSE_AFTER):
        await guess(world, await challenged(world), mail)
    for _ in range(12):
        await challenged(world)  # and mails are used up
    letters = len(mail.letters)
    challenge = await challenged(world, device_token=device)
    assert len(mail.letters) == letters + 1
    await complete(world, challenge, mail.code(), EMAIL)


async def test_a_code_for_one_thing_shown_for_another(world: World) -> None:
    ctx, mail = await reader(world)
    offer = await offer_mailed_codes(ctx, world.ports)
    code = mail.code()
    await enabled(ctx, mail)
    wish = Reauthenticate(password=PASSWORD, factor=ProvingFactor.EMAIL, challenge=offer.challenge, code=code)
    with pytest.raises(InvalidChallenge):
        await reauthenticate(wish, ctx, world.ports)


async def test_a_code_for_one_session_shown_in_another(world: World) -> None:
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    asked = await ask_for_code(ctx, world.ports)
    code = mail.code()
    other = await world.ctx(await complete(world, await challenged(world), mail.code(), EMAIL))
    wish = Reauthenticate(password=PASSWORD, factor=ProvingFactor.EMAIL, challenge=asked.challenge, code=code)
    with pytest.raises(InvalidChallenge):
        await reauthenticate(wish, other, world.ports)


async def test_a_mailed_code_beside_a_mailed_link(world: World) -> None:
    """Whoever reads the mailbox has both: beside a link for a new password only what is not mailed is taken."""
    mail = await ada(world)
    enrolled = await world.state(factors.decider, factors.stream(mail.user_id))
    assert [choice.factor for choice in choices(enrolled, "mch_", world.ports)] == [Factor.RECOVERY_CODE]


async def test_a_mailed_code_where_what_cannot_be_phished_is_demanded(world: World) -> None:
    mail = await ada(world)
    began = len(world.happened(SessionStarted))
    await ask_of_role(AskOfRole(role=USER, requirement=Requirement.PHISHING_RESISTANT), SYSTEM, world.ports)
    challenge = await challenged(world)
    wish = CompleteSignIn(challenge=challenge, factor=EMAIL, code=mail.code())
    answer = await complete_sign_in(wish, ANYBODY, world.ports)
    assert isinstance(answer, EnrolmentRequired)
    assert answer.may_enrol == (Factor.PASSKEY,)
    with pytest.raises(InvalidFactor):
        await complete_sign_in(wish, ANYBODY, world.ports)
    assert len(world.happened(SessionStarted)) == began
