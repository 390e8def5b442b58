"""People with passkeys, and the steps they go through with them."""

from typing import Any

import msgspec

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.context import Context
from commands.enrol_passkey import RegisterPasskey, offer_passkey, register_passkey
from commands.enrol_totp import Enrolled
from commands.ports import Assertion
from commands.sign_in_challenge import Factor, FactorRequired
from commands.sign_in_with_passkey import AskForPasskey, PasskeyAsked, SignInWithPasskey, ask_for_passkey, sign_in_with_passkey
from commands.token_answer import SignedIn
from tests.commands.world import ANYBODY, ISSUER, World
from tests.software_key import SoftwareKey


async def made(
    ctx: Context, world: World, key: SoftwareKey | None = None, name: str | None = None, **lies: Any
) -> tuple[SoftwareKey, Enrolled]:
    """Make a passkey and register it."""
    key = key or SoftwareKey(ISSUER)
    offer = await offer_passkey(ctx, world.ports)
    wish = {"challenge": offer.challenge, "attestation": key.make(offer.options, **lies), "name": name}
    done = await register_passkey(msgspec.convert(wish, RegisterPasskey), ctx, world.ports)
    return key, done.result


async def asked(world: World, **more: Any) -> PasskeyAsked:
    """Ask for a challenge without a name; a moment passes, as it does for people."""
    world.clock.forward(1)
    return await ask_for_passkey(AskForPasskey(**more), world.ports)


async def enter(world: World, key: SoftwareKey, ask: PasskeyAsked | None = None, **lies: Any) -> SignedIn:
    ask = ask or await asked(world)
    return await answer(world, ask, key.sign(ask.options, **lies))


async def answer(world: World, ask: PasskeyAsked, assertion: dict[str, Any]) -> SignedIn:
    wish = {"challenge": ask.challenge, "assertion": assertion}
    return await sign_in_with_passkey(msgspec.convert(wish, SignInWithPasskey), ANYBODY, world.ports)


async def complete_with(world: World, asked_for: FactorRequired, key: SoftwareKey, **lies: Any) -> SignedIn:
    """Show the passkey after the password."""
    (options,) = [choice.options for choice in asked_for.factors if choice.factor is Factor.PASSKEY]
    assert isinstance(options, dict)
    assertion = msgspec.convert(key.sign(options, **lies), Assertion)
    wish = CompleteSignIn(challenge=asked_for.challenge, factor=Factor.PASSKEY, assertion=assertion)
    world.clock.forward(1)
    done = await complete_sign_in(wish, ANYBODY, world.ports)
    assert isinstance(done, SignedIn), done
    return done
