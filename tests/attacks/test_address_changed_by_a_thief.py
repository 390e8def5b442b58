"""Somebody got into an account and moves it to an address of their own; and somebody wants to get another's address onto theirs."""

from typing import Any

import msgspec
import pytest

from commands.api_keys import MakeApiKey, make_own_key
from commands.change_password import ChangePassword, change_password
from commands.enrol_totp import ConfirmTotp, confirm_totp
from commands.erase_me import ask_for_erasure, begin_erasure
from commands.own_factors import list_factors, remove_factor, switch_factor_off
from commands.ports import Assertion
from commands.recovery_codes import make_recovery_codes
from commands.reset_password import ResetPassword, reset_password
from commands.sign_in_challenge import Factor, FactorRequired
from commands.undo_email import CheckUndo, UndoEmail, check_undo, undo_email
from commands.verify_email import VerifyEmail, verify_email
from domain import api_key, erasure, factors
from domain.address_change import UNDO_TTL
from domain.errors import AskerRequired, InvalidCredentials, InvalidFactor, MailTokenInvalid, ProofIncomplete, SecondFactorRequired
from domain.ids import UserId
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, link
from tests.commands.authenticator import Telephone, challenged, complete, enrolled, offered
from tests.commands.conftest import hasher, world
from tests.commands.mailed import Reader, enabled
from tests.commands.passkeys import enter, made
from tests.commands.test_change_email import PROVED, ada, ask, confirm, linked, moved, undo_link
from tests.commands.world import ANYBODY, SYSTEM, World

__all__ = ["hasher", "world"]
THEIRS = "chosen by the thief"


async def take_back(world: World, token: str, **more: Any) -> None:
    await undo_email(UndoEmail(token=token, new_password=NEW, **more), ANYBODY, world.ports)


async def test_the_earlier_mailbox_gets_the_account_back_and_the_thief_out(world: World) -> None:
    user_id, theirs = await moved(world)
    token = await undo_link(world, user_id)
    await change_password(ChangePassword(current_password=PROVED, new_password=THEIRS), theirs, world.ports)
    thief = await world.ctx(await world.sign_in("lovelace", THEIRS))
    world.clock.forward(UNDO_TTL - 1)
    await take_back(world, token)
    assert not await world.is_live(thief)
    for name, password in (("lovelace", THEIRS), ("lovelace", NEW), ("ada", THEIRS)):
        with pytest.raises(InvalidCredentials):
            await world.sign_in(name, password)
    assert (await world.sign_in("ada", NEW)).user_id == user_id
    assert await world.register("lovelace") != user_id


async def test_what_the_thief_enrolled_and_made_does_not_outlive_it(world: World) -> None:
    user_id, theirs = await moved(world)
    world.clock.forward(1)
    await enrolled(theirs, world)
    key_id = (await make_own_key(MakeApiKey(name="back door"), theirs, world.ports)).result.key_id
    token = await undo_link(world, user_id)
    assert not (await check_undo(CheckUndo(token=token), world.ports)).factor_required
    await take_back(world, token)
    assert not (await world.state(factors.decider, factors.stream(user_id))).enrolled
    assert not isinstance(await world.state(api_key.decider, api_key.stream(key_id)), api_key.Live)
    await world.sign_in("ada", NEW)


async def test_the_owners_factor_is_asked_for_and_stays_and_the_thiefs_codes_are_worth_nothing(world: World) -> None:
    """They had the session with its proof: new recovery codes, and a factor beside the owner's."""
    user_id, ctx = await ada(world)
    telephone = await enrolled(ctx, world)
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    world.clock.forward(60)
    strong = await world.ctx(await complete(world, await challenged(world, "lovelace", password=PROVED), telephone.code()))
    stolen = (await make_recovery_codes(strong, world.ports)).result
    token = await undo_link(world, user_id)
    assert (await check_undo(CheckUndo(token=token), world.ports)).factor_required
    with pytest.raises(SecondFactorRequired):
        await take_back(world, token)
    with pytest.raises(InvalidFactor):
        await take_back(world, token, factor=Factor.RECOVERY_CODE, code=stolen[0])
    world.clock.forward(60)
    await take_back(world, token, code=telephone.code())
    assert isinstance(await world.show_password("ada", NEW), FactorRequired)
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world, password=NEW), stolen[1], Factor.RECOVERY_CODE)


async def replaced(world: World, *, codes: bool = False) -> tuple[UserId, Telephone, Telephone]:
    """Since the change of address another telephone took the place of the one before, and other recovery codes perhaps that of those."""
    user_id, ctx = await ada(world)
    before = await enrolled(ctx, world)
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    world.clock.forward(60)
    strong = await world.ctx(await complete(world, await challenged(world, "lovelace", password=PROVED), before.code()))
    after = await offered(strong, world)
    await confirm_totp(ConfirmTotp(code=after.code()), strong, world.ports)
    if codes:
        after.recovery_codes = (await make_recovery_codes(strong, world.ports)).result
    world.clock.forward(60)
    return user_id, before, after


@pytest.mark.parametrize("codes", [False, True])
async def test_the_earlier_mailbox_alone_is_no_way_round_a_telephone_that_was_replaced_since(world: World, codes: bool) -> None:
    """Its owner has moved away from a mailbox that somebody else reads, and to another telephone soon after."""
    user_id, _, after = await replaced(world, codes=codes)
    token = await undo_link(world, user_id)
    check = await check_undo(CheckUndo(token=token), world.ports)
    assert [choice.factor for choice in check.factors] == [Factor.TOTP, Factor.RECOVERY_CODE]
    with pytest.raises(SecondFactorRequired):
        await take_back(world, token)
    with pytest.raises(InvalidFactor):
        await take_back(world, token, code=after.code())
    assert await world.show_password("lovelace", PROVED)


@pytest.mark.parametrize("codes", [False, True])
async def test_the_owner_shows_what_the_thief_took_away(world: World, codes: bool) -> None:
    """The telephone that another has replaced, or a recovery code of before, which are the thief's to replace as well."""
    user_id, before, _ = await replaced(world, codes=codes)
    token = await undo_link(world, user_id)
    if codes:
        await take_back(world, token, factor=Factor.RECOVERY_CODE, code=before.recovery_codes[0])
    else:
        await take_back(world, token, code=before.code())
    assert not (await world.state(factors.decider, factors.stream(user_id))).enrolled
    assert (await world.sign_in("ada", NEW)).user_id == user_id


async def test_a_passkey_that_was_taken_away_since_is_shown_and_asked_for_all_the_same(world: World) -> None:
    user_id, ctx = await ada(world)
    key, _ = await made(ctx, world)
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    world.clock.forward(60)
    thief = await world.ctx(await enter(world, key))
    (view,) = (await list_factors(user_id, world.ports)).data
    await remove_factor(view.factor_id, thief, world.ports)
    token = await undo_link(world, user_id)
    with pytest.raises(SecondFactorRequired):
        await take_back(world, token)
    world.clock.forward(1)
    check = await check_undo(CheckUndo(token=token), world.ports)
    world.clock.forward(1)
    options = next(choice.options for choice in check.factors if choice.factor is Factor.PASSKEY)
    assert isinstance(options, dict)
    assertion = msgspec.convert(key.sign(options), Assertion)
    await take_back(world, token, factor=Factor.PASSKEY, challenge=check.challenge, assertion=assertion)
    assert (await world.sign_in("ada", NEW)).user_id == user_id


async def test_where_an_administrator_took_the_factor_away_since_nothing_that_is_gone_is_asked_for(world: World) -> None:
    """They made sure by other means who asked: an owner whose telephone is lost, and was replaced by the thief's."""
    user_id, _, _ = await replaced(world)
    (view,) = (await list_factors(user_id, world.ports)).data
    await switch_factor_off(user_id, view.factor_id, SYSTEM, world.ports)
    await take_back(world, await undo_link(world, user_id))
    assert (await world.sign_in("ada", NEW)).user_id == user_id


async def test_an_erasure_that_the_thief_asked_for_is_withdrawn(world: World) -> None:
    """They want it gone, and the mail about it goes to them."""
    user_id, theirs = await moved(world)
    world.clock.forward(1)
    world.set_policy(erasure_wait=1)
    await ask_for_erasure(theirs, world.ports)
    token = await undo_link(world, user_id)
    world.clock.forward(UNDO_TTL - 2)
    assert not await begin_erasure(user_id, SYSTEM, world.ports), "not before it can no longer be taken back"
    await take_back(world, token)
    assert isinstance(await world.state(erasure.decider, erasure.stream(user_id)), erasure.NotAsked)


async def test_the_earlier_mailbox_is_no_way_round_a_recovery_code(world: World) -> None:
    """Its owner moved away from a mailbox that somebody else reads; with codes by mail that one could not choose a new password."""
    user_id, ctx = await ada(world)
    reader = await enabled(ctx, Reader(world, user_id))
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    token = await undo_link(world, user_id)
    check = await check_undo(CheckUndo(token=token), world.ports)
    assert [choice.factor for choice in check.factors] == [Factor.RECOVERY_CODE]
    with pytest.raises(SecondFactorRequired):
        await take_back(world, token)
    with pytest.raises(ProofIncomplete):
        await take_back(world, token, factor=Factor.EMAIL, code="000000")
    await take_back(world, token, factor=Factor.RECOVERY_CODE, code=reader.recovery_codes[0])
    assert (await world.state(factors.decider, factors.stream(user_id))).mailed is not None


async def test_codes_that_come_by_mail_are_no_factor_to_show_with_a_mail(world: World) -> None:
    """They go to the thief's address by now, and recovery codes made since are the thief's: asked for, they would keep the owner out. Those
    of before are asked for, though others have taken their place."""
    user_id, ctx = await ada(world)
    reader = await enabled(ctx, Reader(world, user_id))
    world.clock.forward(60)
    await confirm(world, await ask(world, ctx))
    world.clock.forward(60)
    challenge = await challenged(world, "lovelace", password=PROVED)
    await make_recovery_codes(await world.ctx(await complete(world, challenge, reader.code(), Factor.EMAIL)), world.ports)
    token = await undo_link(world, user_id)
    with pytest.raises(SecondFactorRequired):
        await take_back(world, token)
    await take_back(world, token, factor=Factor.RECOVERY_CODE, code=reader.recovery_codes[0])
    assert (await world.state(factors.decider, factors.stream(user_id))).mailed is not None


async def test_it_is_taken_back_for_three_days(world: World) -> None:
    user_id, _ = await moved(world)
    token = await undo_link(world, user_id)
    world.clock.forward(UNDO_TTL)
    with pytest.raises(MailTokenInvalid):
        await take_back(world, token)


async def test_it_is_taken_back_once(world: World) -> None:
    user_id, _ = await moved(world)
    token = await undo_link(world, user_id)
    await take_back(world, token)
    with pytest.raises(MailTokenInvalid):
        await take_back(world, token)


async def test_a_reset_by_the_new_mailbox_takes_no_way_back_from_the_old(world: World) -> None:
    user_id, _ = await moved(world)
    token = await undo_link(world, user_id)
    reset = await link(world, address="lovelace@example.org")
    await reset_password(ResetPassword(token=reset, new_password=THEIRS), ANYBODY, world.ports)
    await take_back(world, token)
    await world.sign_in("ada", NEW)


async def test_a_link_that_somebody_was_got_to_click_gives_nobody_their_address(world: World) -> None:
    """Pre-hijack: the attacker asks for the victim's address on an account of theirs, and the victim opens the link."""
    _, attacker = await ada(world)
    theirs = await ask(world, attacker, "victim")
    other = await ask(world, attacker, "elsewhere")
    for registration in (None, other.registration, linked(world, theirs)):
        with pytest.raises(AskerRequired):
            await verify_email(VerifyEmail(token=linked(world, theirs), registration=registration), ANYBODY, world.ports)
    await world.register("victim")
