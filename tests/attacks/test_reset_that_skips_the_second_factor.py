"""A mailbox is broken into: its reset link must not be a way past the second factor. Nor may a factor keep a mailbox's owner out."""

import pytest

from commands.forgot_password import begin_reset
from commands.ports import MailToken, MailTokenKind
from commands.reset_password import CheckReset, ResetPassword, check_reset, reset_password
from commands.token_answer import SignedIn
from domain import factors
from domain.errors import InvalidFactor, SecondFactorRequired
from tests.commands.authenticator import enrolled
from tests.commands.conftest import hasher, world
from tests.commands.test_second_factor import ada_with_telephone
from tests.commands.world import ANYBODY, SYSTEM, World

__all__ = ["hasher", "world"]
NEW = "something new to remember"


async def link(world: World) -> str:
    """As the mailer makes it."""
    reset = await begin_reset("ada@example.org", world.ports.random.uuid7(), SYSTEM, world.ports)
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


async def test_a_factor_of_whoever_opened_the_account_keeps_its_owner_not_out(world: World) -> None:
    """Pre-hijack with a factor: it was enrolled before anybody proved the mailbox."""
    user_id, _ = await ada_with_telephone(world)
    token = await link(world)
    assert not (await check_reset(CheckReset(token=token), world.ports)).factor_required
    await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    assert not (await world.state(factors.decider, factors.stream(user_id))).enrolled
    assert isinstance(await world.sign_in("ada", NEW), SignedIn)
