"""A strange sign-in is asked for a mailed code; a demand for more than that must not be a way around it."""

import asyncio
from dataclasses import dataclass

import pytest

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.enrol_at_sign_in import OfferAtSignIn, offer_passkey_at_sign_in
from commands.sign_in_challenge import EnrolmentRequired, Factor, FactorRequired
from domain.errors import InvalidChallenge, InvalidFactor
from domain.factor_policy import Requirement
from tests.commands.conftest import hasher, world
from tests.commands.mailed import Reader, reader
from tests.commands.test_factor_policy import demand, passkey_at_sign_in
from tests.commands.world import ANYBODY, World

__all__ = ["hasher", "world"]


@dataclass(frozen=True, slots=True)
class Strange:
    """A sign-in from a strange place, of somebody of whom a passkey is demanded and who has none: as far as the password goes."""

    world: World
    mail: Reader
    asked: FactorRequired

    async def show_code(self) -> EnrolmentRequired:
        wish = CompleteSignIn(challenge=self.asked.challenge, factor=Factor.EMAIL, code=self.mail.code())
        step = await complete_sign_in(wish, ANYBODY, self.world.ports)
        assert isinstance(step, EnrolmentRequired)
        return step


@pytest.fixture
async def strange(world: World) -> Strange:
    _, mail = await reader(world)
    world.set_policy(suspicious_sign_in_code=True)
    await demand(world, Requirement.PHISHING_RESISTANT)
    for _ in range(3):
        with pytest.raises(Exception, match="password is wrong"):
            await world.show_password("ada", "wrong horse battery")
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    assert [choice.factor for choice in answer.factors] == [Factor.EMAIL]
    return Strange(world, mail, answer)


async def test_whoever_has_only_the_password_enrols_no_passkey_from_a_strange_place(world: World, strange: Strange) -> None:
    with pytest.raises(InvalidChallenge):
        await offer_passkey_at_sign_in(OfferAtSignIn(challenge=strange.asked.challenge), world.ports)
    step = await strange.show_code()
    _, done = await passkey_at_sign_in(world, step.challenge)
    assert (await world.claims(done.signed_in.access_token)).amr == ("pwd", "pop", "user", "email", "mfa")


async def test_a_code_that_led_to_an_enrolment_leads_to_no_other(world: World, strange: Strange) -> None:
    """Whoever reads it later, beside the password, would enrol a passkey of their own before its owner has finished."""
    step = await strange.show_code()
    with pytest.raises(InvalidFactor):
        await strange.show_code()
    await passkey_at_sign_in(world, step.challenge)


async def test_of_several_who_show_the_code_at_once_one_may_enrol(strange: Strange) -> None:
    answers = await asyncio.gather(*(strange.show_code() for _ in range(4)), return_exceptions=True)
    assert sorted(isinstance(answer, InvalidFactor) for answer in answers) == [False, True, True, True]
