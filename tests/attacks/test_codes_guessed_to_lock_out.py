"""Somebody knows the password, and guesses codes of strange sign-ins until none is looked at; the owner has no factor to undo that."""

import pytest

from commands.reset_password import ResetPassword, reset_password
from commands.sign_in_challenge import Factor
from domain import factors
from domain.errors import FactorBlocked, FactorPaused, InvalidChallenge, InvalidCredentials, InvalidFactor
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, link
from tests.commands.authenticator import challenged, complete
from tests.commands.conftest import hasher, world
from tests.commands.mailed import Reader, reader
from tests.commands.world import ANYBODY, ELSEWHERE, World

__all__ = ["hasher", "world"]


async def guess_passwords(world: World) -> None:
    """Sign-ins from there are strange from now on."""
    for _ in range(3):
        with pytest.raises(InvalidCredentials):
            await world.show_password("ada", "wrong horse battery", network=ELSEWHERE)


async def blocked(world: World) -> Reader:
    _, mail = await reader(world)
    world.set_policy(suspicious_sign_in_code=True)
    await guess_passwords(world)
    while True:
        world.clock.forward(3_601)
        challenge = await challenged(world, network=ELSEWHERE)
        try:
            for _ in range(4):
                with pytest.raises(InvalidFactor):
                    await complete(world, challenge, "none", Factor.EMAIL)
        except (FactorPaused, InvalidChallenge):
            continue
        except FactorBlocked:
            return mail


async def test_a_new_password_opens_what_guesses_at_codes_had_closed(world: World) -> None:
    mail = await blocked(world)
    assert not (await world.state(factors.decider, factors.stream(mail.user_id))).blocked
    await reset_password(ResetPassword(token=await link(world), new_password=NEW), ANYBODY, world.ports)
    await guess_passwords(world)
    await complete(world, await challenged(world, password=NEW, network=ELSEWHERE), mail.code(), Factor.EMAIL)
