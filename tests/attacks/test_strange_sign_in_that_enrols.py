"""A strange sign-in is asked for a mailed code; a demand for more than that must not be a way around it."""

import pytest

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.enrol_at_sign_in import OfferAtSignIn, offer_passkey_at_sign_in
from commands.sign_in_challenge import EnrolmentRequired, Factor, FactorRequired
from domain.errors import InvalidChallenge
from domain.factor_policy import Requirement
from tests.commands.conftest import hasher, world
from tests.commands.mailed import reader
from tests.commands.test_factor_policy import demand, passkey_at_sign_in
from tests.commands.world import ANYBODY, World

__all__ = ["hasher", "world"]


async def test_whoever_has_only_the_password_enrols_no_passkey_from_a_strange_place(world: World) -> None:
    _, mail = await reader(world)
    world.set_policy(suspicious_sign_in_code=True)
    await demand(world, Requirement.PHISHING_RESISTANT)
    for _ in range(3):
        with pytest.raises(Exception, match="password is wrong"):
            await world.show_password("ada", "wrong horse battery")
    answer = await world.show_password("ada")
    assert isinstance(answer, FactorRequired)
    assert [choice.factor for choice in answer.factors] == [Factor.EMAIL]
    with pytest.raises(InvalidChallenge):
        await offer_passkey_at_sign_in(OfferAtSignIn(challenge=answer.challenge), world.ports)
    wish = CompleteSignIn(challenge=answer.challenge, factor=Factor.EMAIL, code=mail.code())
    step = await complete_sign_in(wish, ANYBODY, world.ports)
    assert isinstance(step, EnrolmentRequired)
    _, done = await passkey_at_sign_in(world, step.challenge)
    assert (await world.claims(done.signed_in.access_token)).amr == ("pwd", "pop", "user", "email", "mfa")
