"""A telephone with codes on it, and the steps that people go through with one."""

import base64
from dataclasses import dataclass
from typing import Any

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.context import Context
from commands.enrol_totp import ConfirmTotp, Enrolled, confirm_totp, offer_totp
from commands.sign_in_challenge import Factor, FactorRequired
from commands.token_answer import SignedIn
from domain import totp
from tests.commands.world import ANYBODY, World


@dataclass
class Telephone:
    """Knows a seed, and the time as the world has it."""

    world: World
    seed: bytes
    recovery_codes: tuple[str, ...] = ()

    def code(self, *, away: int = 0) -> str:
        return totp.code_at(self.seed, totp.step_at(self.world.clock.now) + away)

    def next_code(self) -> str:
        """Wait for a code that no step before has used up."""
        self.world.clock.forward(totp.STEP)
        return self.code()

    def wrong_code(self) -> str:
        right = {self.code(away=away) for away in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


async def offered(ctx: Context, world: World) -> Telephone:
    secret = (await offer_totp(ctx, world.ports)).result.secret
    return Telephone(world, base64.b32decode(secret))


async def enrolled(ctx: Context, world: World) -> Telephone:
    """Enrol a telephone for whoever this is the context of."""
    telephone = await offered(ctx, world)
    done: Enrolled = (await confirm_totp(ConfirmTotp(code=telephone.code()), ctx, world.ports)).result
    telephone.recovery_codes = done.recovery_codes
    return telephone


async def challenged(world: World, name: str = "ada", **more: Any) -> str:
    """Show the right password, and give the challenge it gets."""
    answer = await world.show_password(name, **more)
    assert isinstance(answer, FactorRequired), answer
    return answer.challenge


async def complete(world: World, challenge: str, code: str, factor: Factor = Factor.TOTP) -> SignedIn:
    done = await complete_sign_in(CompleteSignIn(challenge=challenge, factor=factor, code=code), ANYBODY, world.ports)
    assert isinstance(done, SignedIn), done
    return done
