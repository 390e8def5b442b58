"""Whose second factors change, or who is signed in as nobody was before, hears of it by mail."""

import base64
from datetime import UTC, datetime

from msgspec import structs

from commands.enrol_totp import ConfirmTotp, confirm_totp, offer_totp
from commands.own_factors import remove_factor
from commands.recovery_codes import make_recovery_codes
from commands.sign_in import SignIn, sign_in
from commands.transact import transact
from domain import factors, totp
from domain.factor_events import FactorEvent, GuessingPaused, PasskeyRegressed, RecoveryCodeUsed
from domain.ids import FactorId
from tests.mail.conftest import ANYBODY, PASSWORD, Office


async def test_a_factor_that_comes_or_goes_is_told_to_the_accounts_address(office: Office) -> None:
    await office.known()
    ctx = await office.ctx(await office.sign_in())
    seed = base64.b32decode((await offer_totp(ctx, office.ports)).result.secret)
    code = totp.code_at(seed, totp.step_at(datetime.now(UTC)))
    enrolled = (await confirm_totp(ConfirmTotp(code=code), ctx, office.ports)).result
    await office.work()
    assert office.subjects() == ["A second factor of your minos account was changed"]
    assert code not in office.text()
    proven = ctx.principal
    assert proven is not None
    ctx = structs.replace(ctx, principal=structs.replace(proven, amr=("pwd", "otp")))
    await remove_factor(enrolled.factor_id, ctx, office.ports)
    await office.work()
    assert [mail["To"] for mail in office.received.messages] == ["ada@example.org"] * 2


async def test_a_sign_in_that_is_not_like_those_before_is_told_to_the_accounts_address(office: Office) -> None:
    await office.known()
    await office.sign_in()
    await office.work()
    assert office.subjects() == []
    elsewhere = structs.replace(ANYBODY, network="198.51.100.0/24", user_agent="lynx/2")
    await sign_in(SignIn(email="ada@example.org", password=PASSWORD), elsewhere, office.ports)
    await office.work()
    [mail] = office.received.messages
    assert mail["To"] == "ada@example.org"
    assert "sign" in str(mail["Subject"]).lower()
    assert "198.51.100" not in office.text()


async def test_what_happens_to_recovery_codes_and_passkeys_is_told_to_the_accounts_address(office: Office) -> None:
    user_id = await office.known()
    stream, at = factors.stream(user_id), datetime.now(UTC)
    happened: list[FactorEvent] = [
        RecoveryCodeUsed(user_id=user_id, number=3, at=at),
        PasskeyRegressed(user_id=user_id, factor_id=FactorId(user_id), sign_count=1, known_count=2, at=at),
        GuessingPaused(user_id=user_id, failures=10, until=at, at=at),
    ]
    await transact(office.ports, ANYBODY, [(factors.decider, stream)], lambda tx: tx.record(factors.decider, stream, happened))
    await office.work()
    assert sorted(office.subjects()) == [
        "A recovery code of your minos account was used",
        "Somebody is guessing codes of your minos account",
        "Somebody may have a copy of a passkey of your minos account",
    ]


async def test_new_recovery_codes_are_told_of_and_those_of_a_first_factor_with_that(office: Office) -> None:
    await office.known()
    ctx = await office.ctx(await office.sign_in())
    seed = base64.b32decode((await offer_totp(ctx, office.ports)).result.secret)
    await confirm_totp(ConfirmTotp(code=totp.code_at(seed, totp.step_at(datetime.now(UTC)))), ctx, office.ports)
    await office.work()
    assert office.subjects() == ["A second factor of your minos account was changed"]
    assert ctx.principal is not None
    proven = structs.replace(ctx, principal=structs.replace(ctx.principal, amr=("pwd", "otp")))
    await make_recovery_codes(proven, office.ports)
    await office.work()
    assert office.subjects()[1:] == ["New recovery codes for your minos account"]
