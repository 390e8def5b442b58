"""Codes by mail: a weak second factor, turned on by showing one, asked for after a password, sent again, and used once."""

import pytest
from msgspec.structs import replace

from commands.mailed_codes import EnableMailedCodes, ask_for_code, enable_mailed_codes, offer_mailed_codes
from commands.own_factors import list_factors, remove_factor
from commands.ports import Letter
from commands.reauthenticate import ProvingFactor, Reauthenticate, reauthenticate
from commands.resend_code import ResendCode, resend_code
from commands.sign_in_challenge import LIFE, Factor, FactorRequired
from domain.assurance import Acr
from domain.errors import (
    EmailNotVerified,
    InvalidChallenge,
    InvalidFactor,
    MailLimited,
    ReauthenticationRequired,
)
from domain.factor_events import MailedCodesEnabled, MailedCodeUsed
from domain.factor_guard import MAILED_CODE_LIFE
from tests.commands.authenticator import challenged, complete, enrolled
from tests.commands.mailed import Reader, enabled, reader
from tests.commands.world import PASSWORD, World

EMAIL = Factor.EMAIL


async def ada(world: World) -> Reader:
    return await enabled(*await reader(world))


async def asked(world: World, **more: str) -> FactorRequired:
    answer = await world.show_password("ada", **more)
    assert isinstance(answer, FactorRequired)
    return answer


async def test_otp_06_they_count_once_a_first_code_came_back(world: World) -> None:
    ctx, mail = await reader(world)
    offer = await offer_mailed_codes(ctx, world.ports)
    assert (offer.sent_to, offer.expires_in) == ("a***@example.org", MAILED_CODE_LIFE)
    await world.sign_in("ada")
    with pytest.raises(InvalidFactor):
        await enable_mailed_codes(EnableMailedCodes(challenge=offer.challenge, code=mail.wrong_code()), ctx, world.ports)
    done = await enable_mailed_codes(EnableMailedCodes(challenge=offer.challenge, code=mail.code()), ctx, world.ports)
    assert len(done.result.recovery_codes) == 10
    (view,) = (await list_factors(mail.user_id, world.ports)).data
    assert (view.kind, view.factor_id) == ("email", done.result.factor_id)
    await asked(world)


async def test_otp_06_they_need_a_proved_address_and_a_fresh_proof(world: World) -> None:
    with pytest.raises(EmailNotVerified):
        await offer_mailed_codes(await world.enter("eve"), world.ports)
    ctx, mail = await reader(world)
    telephone = await enrolled(ctx, world)
    with pytest.raises(ReauthenticationRequired):
        await offer_mailed_codes(ctx, world.ports)
    strong = await world.ctx(await complete(world, await challenged(world), telephone.next_code()))
    await enabled(strong, mail)
    assert mail.recovery_codes == ()


async def test_otp_06_taking_them_away_asks_for_one(world: World) -> None:
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    (view,) = (await list_factors(mail.user_id, world.ports)).data
    with pytest.raises(ReauthenticationRequired):
        await remove_factor(view.factor_id, ctx, world.ports)
    shown = await world.ctx(await complete(world, await challenged(world), mail.code(), EMAIL))
    await remove_factor(view.factor_id, shown, world.ports)
    await world.sign_in("ada")


async def test_after_a_password_a_mailed_code_begins_the_session(world: World) -> None:
    mail = await ada(world)
    answer = await asked(world)
    assert answer.factors[0].sent_to == "a***@example.org"
    assert [choice.factor for choice in answer.factors] == [EMAIL, Factor.RECOVERY_CODE]
    assert mail.letters == [Letter.PROOF_CODE, Letter.SIGN_IN_CODE]
    signed_in = await complete(world, answer.challenge, mail.code(), EMAIL)
    claims = await world.claims(signed_in.access_token)
    assert (claims.acr, claims.amr) == (Acr.TWO_FACTOR, ("pwd", "email", "mfa"))


async def test_no_mail_goes_out_unasked_where_there_is_something_stronger(world: World) -> None:
    ctx, mail = await reader(world)
    await enabled(ctx, mail)
    shown = await world.ctx(await complete(world, await challenged(world), mail.code(), EMAIL))
    telephone = await enrolled(shown, world)
    letters = len(mail.letters)
    answer = await asked(world)
    assert [choice.factor for choice in answer.factors] == [Factor.TOTP, EMAIL, Factor.RECOVERY_CODE]
    assert len(mail.letters) == letters
    await resend_code(ResendCode(challenge=answer.challenge), world.ports)
    await complete(world, answer.challenge, mail.code(), EMAIL)
    await complete(world, await challenged(world), telephone.next_code())


async def test_otp_02_a_code_that_is_sent_again_is_the_same_and_no_longer_good(world: World) -> None:
    mail = await ada(world)
    answer = await asked(world)
    first = mail.code()
    world.clock.forward(200)
    sent = await resend_code(ResendCode(challenge=answer.challenge), world.ports)
    assert (mail.code(), sent.expires_in, sent.sent_to) == (first, MAILED_CODE_LIFE - 200, "a***@example.org")
    world.clock.forward(LIFE)
    await complete(world, answer.challenge, first, EMAIL)


async def test_otp_07_a_code_is_good_for_ten_minutes(world: World) -> None:
    mail = await ada(world)
    challenge = await challenged(world)
    world.clock.forward(MAILED_CODE_LIFE)
    for attempt in (complete(world, challenge, mail.code(), EMAIL), resend_code(ResendCode(challenge=challenge), world.ports)):
        with pytest.raises(InvalidChallenge):
            await attempt


async def test_other_factors_are_good_for_five_minutes_beside_it(world: World) -> None:
    mail = await ada(world)
    challenge = await challenged(world)
    world.clock.forward(LIFE)
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, mail.recovery_codes[0], Factor.RECOVERY_CODE)


async def test_a_code_is_of_its_challenge_and_account(world: World) -> None:
    mail = await ada(world)
    first = await challenged(world)
    code = mail.code()
    await challenged(world)
    if code != mail.code():
        with pytest.raises(InvalidFactor):
            await complete(world, first, mail.code(), EMAIL)
    await complete(world, first, code, EMAIL)
    assert len(world.happened(MailedCodeUsed)) == 1


async def test_otp_02_too_many_are_not_sent(world: World) -> None:
    await ada(world)
    challenge = await challenged(world)
    for _ in range(2):
        await resend_code(ResendCode(challenge=challenge), world.ports)
    with pytest.raises(MailLimited) as limited:
        await resend_code(ResendCode(challenge=challenge), world.ports)
    assert 0 < limited.value.retry_after <= 200


async def test_where_no_code_was_offered_none_is_mailed(world: World) -> None:
    ctx, mail = await reader(world)
    await enrolled(ctx, world)
    with pytest.raises(InvalidFactor):
        await resend_code(ResendCode(challenge=await challenged(world)), world.ports)
    assert mail.letters == []


async def test_otp_03_a_mailed_code_proves_who_is_there_where_nothing_is_stronger(world: World) -> None:
    ctx, mail = await reader(world)
    with pytest.raises(InvalidFactor):
        await ask_for_code(ctx, world.ports)
    await enabled(ctx, mail)
    ask = await ask_for_code(ctx, world.ports)
    wish = Reauthenticate(password=PASSWORD, factor=ProvingFactor.EMAIL, challenge=ask.challenge, code=mail.code())
    proof = await reauthenticate(wish, ctx, world.ports)
    claims = await world.claims(proof.result.access_token)
    assert (claims.acr, claims.amr) == (Acr.TWO_FACTOR, ("pwd", "email", "mfa"))
    with pytest.raises(InvalidFactor):
        await reauthenticate(wish, ctx, world.ports)
    proved = replace(ctx, principal=await world.principal(proof.result.access_token))
    await enrolled(proved, world)
    with pytest.raises(InvalidFactor):
        await ask_for_code(ctx, world.ports)


async def test_a_strange_sign_in_is_asked_for_a_code_where_a_setting_says_so(world: World) -> None:
    _, mail = await reader(world)
    world.set_policy(suspicious_sign_in_code=True)
    await world.sign_in("ada")
    for _ in range(3):
        with pytest.raises(Exception, match="password is wrong"):
            await world.show_password("ada", "wrong horse battery")
    answer = await asked(world)
    assert [choice.factor for choice in answer.factors] == [EMAIL]
    signed_in = await complete(world, answer.challenge, mail.code(), EMAIL)
    assert (await world.claims(signed_in.access_token)).amr == ("pwd", "email", "mfa")
    assert not world.happened(MailedCodesEnabled)
    (used,) = world.happened(MailedCodeUsed)
    assert isinstance(used, MailedCodeUsed)
    assert used.factor_id is None
    await world.sign_in("ada")


async def test_a_strange_sign_in_is_asked_for_nothing_without_the_setting_or_a_proved_address(world: World) -> None:
    await world.register("eve")
    await world.sign_in("eve")
    await reader(world)
    for name in ("ada", "eve"):
        for _ in range(3):
            with pytest.raises(Exception, match="password is wrong"):
                await world.show_password(name, "wrong horse battery")
    await world.sign_in("ada")
    world.set_policy(suspicious_sign_in_code=True)
    await world.sign_in("eve")
