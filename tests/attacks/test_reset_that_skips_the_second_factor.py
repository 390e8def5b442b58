"""A mailbox is broken into: its reset link must not be a way past the second factor. Nor may a factor keep a mailbox's owner out."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from commands.forgot_password import begin_reset
from commands.ports import Assertion, MailToken, MailTokenKind
from commands.reset_password import CheckReset, ResetPassword, check_reset, reset_password
from commands.sign_in_challenge import LIFE, Factor, FactorRequired
from commands.token_answer import SignedIn
from domain import factors
from domain.errors import InvalidChallenge, InvalidFactor, PasswordUnacceptable, SecondFactorRequired
from domain.factor_guard import PAUSE_AFTER
from tests.commands.authenticator import enrolled
from tests.commands.conftest import hasher, world
from tests.commands.passkeys import made
from tests.commands.test_second_factor import ada_with_telephone
from tests.commands.world import ANYBODY, ISSUER, SYSTEM, World
from tests.software_key import SoftwareKey

__all__ = ["hasher", "world"]
NEW = "something new to remember"


async def link(world: World, asking: UUID | None = None, address: str = "ada@example.org") -> str:
    """As the mailer makes it."""
    reset = await begin_reset(address, asking or world.ports.random.uuid7(), SYSTEM, world.ports)
    assert reset is not None
    return world.ports.mail_tokens.make(
        MailToken(
            kind=MailTokenKind.RESET,
            subject=reset.account.user_id,
            about=reset.reset_id,
            expires_at=int(reset.expires_at.timestamp()),
        )
    )


async def proved(world: World) -> None:
    await reset_password(ResetPassword(token=await link(world), new_password="the first thing proved here"), ANYBODY, world.ports)


async def test_the_factor_is_asked_for_and_a_wrong_one_sets_nothing(world: World) -> None:
    user_id = await world.register("ada")
    await proved(world)
    signed_in = await world.sign_in("ada", "the first thing proved here")
    telephone = await enrolled(await world.ctx(signed_in), world)
    world.clock.forward(60)  # its next code
    token = await link(world)
    assert (await check_reset(CheckReset(token=token), world.ports)).factor_required
    before = (await world.account(user_id)).password_version
    with pytest.raises(SecondFactorRequired):
        await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    with pytest.raises(InvalidFactor):
        await reset_password(ResetPassword(token=token, new_password=NEW, code="000000"), ANYBODY, world.ports)
    assert (await world.account(user_id)).password_version == before
    await reset_password(ResetPassword(token=token, new_password=NEW, code=telephone.code()), ANYBODY, world.ports)
    assert (await world.account(user_id)).password_version == before + 1
    assert (await world.state(factors.decider, factors.stream(user_id))).enrolled


async def test_a_right_code_with_a_bad_password_is_no_wrong_code(world: World) -> None:
    """Somebody who chooses badly ten times is no guesser: their codes are not paused for it."""
    await world.register("ada")
    await proved(world)
    telephone = await enrolled(await world.ctx(await world.sign_in("ada", "the first thing proved here")), world)
    world.clock.forward(60)
    token = await link(world)
    for _ in range(PAUSE_AFTER + 1):
        with pytest.raises(PasswordUnacceptable):
            await reset_password(ResetPassword(token=token, new_password="short", code=telephone.code()), ANYBODY, world.ports)
    await reset_password(ResetPassword(token=token, new_password=NEW, code=telephone.code()), ANYBODY, world.ports)


async def ada_with_passkey(world: World) -> SoftwareKey:
    await world.register("ada")
    await proved(world)
    key, _ = await made(await world.ctx(await world.sign_in("ada", "the first thing proved here")), world)
    world.clock.forward(60)
    return key


async def signed(world: World, token: str, key: SoftwareKey, **lies: Any) -> ResetPassword:
    """What the page sends: the password, and what the passkey made of the challenge it asked for."""
    live = await check_reset(CheckReset(token=token), world.ports)
    (options,) = [choice.options for choice in live.factors if choice.factor is Factor.PASSKEY]
    assert isinstance(options, dict)
    assertion = msgspec.convert(key.sign(options, **lies), Assertion)
    return ResetPassword(token=token, new_password=NEW, factor=Factor.PASSKEY, challenge=live.challenge, assertion=assertion)


async def test_a_passkey_is_shown_with_the_link(world: World) -> None:
    key = await ada_with_passkey(world)
    token = await link(world)
    with pytest.raises(SecondFactorRequired):
        await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    wish = await signed(world, token, key)
    world.clock.forward(1)
    await reset_password(wish, ANYBODY, world.ports)
    assert isinstance(await world.show_password("ada", NEW), FactorRequired)


async def test_a_signature_for_something_else_sets_no_password(world: World) -> None:
    """The passkey was got to sign at sign-in, for an earlier link, or too long ago; or it is another's."""
    key = await ada_with_passkey(world)
    earlier = await signed(world, await link(world), key)
    asked = await world.show_password("ada", "the first thing proved here")
    assert isinstance(asked, FactorRequired)
    (options,) = [choice.options for choice in asked.factors if choice.factor is Factor.PASSKEY]
    assert isinstance(options, dict)
    token = await link(world)
    world.clock.forward(1)
    sign_in = msgspec.convert(key.sign(options), Assertion)
    for challenge, assertion in ((earlier.challenge, earlier.assertion), (asked.challenge, sign_in)):
        wish = ResetPassword(token=token, new_password=NEW, factor=Factor.PASSKEY, challenge=challenge, assertion=assertion)
        with pytest.raises(InvalidChallenge):
            await reset_password(wish, ANYBODY, world.ports)
    anothers = await signed(world, token, SoftwareKey(ISSUER))
    with pytest.raises(InvalidFactor):
        await reset_password(anothers, ANYBODY, world.ports)
    late = await signed(world, token, key)
    world.clock.forward(LIFE)
    with pytest.raises(InvalidChallenge):
        await reset_password(late, ANYBODY, world.ports)


async def test_a_factor_of_whoever_opened_the_account_keeps_its_owner_not_out(world: World) -> None:
    """Pre-hijack with a factor: it was enrolled before anybody proved the mailbox."""
    user_id, _ = await ada_with_telephone(world)
    token = await link(world)
    assert not (await check_reset(CheckReset(token=token), world.ports)).factor_required
    await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    assert not (await world.state(factors.decider, factors.stream(user_id))).enrolled
    assert isinstance(await world.sign_in("ada", NEW), SignedIn)
