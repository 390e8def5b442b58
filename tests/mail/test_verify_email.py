"""An address is proved by whoever reads its mailbox, once."""

import msgspec
import pytest

from commands.bootstrap import CreateAdministrator, create_administrator
from commands.import_user import ImportUser, import_user
from commands.verify_email import (
    VERIFY_TTL,
    ResendVerification,
    VerifyEmail,
    resend_to_address,
    resend_to_me,
    verify_email,
)
from domain.errors import (
    EmailAlreadyVerified,
    EmailNotVerified,
    InvalidCredentials,
    MailLimited,
    MailTokenInvalid,
    NewPasswordRequired,
    PasswordUnacceptable,
)
from domain.ids import UserId
from tests.mail.conftest import ANYBODY, PASSWORD, Office

OWN = "chosen with the mail at hand"


async def invited(office: Office, email: str = "ada@example.org") -> UserId:
    """Register, and have the mail with the link come in."""
    user_id = await office.register(email)
    await office.work()
    return user_id


async def prove(office: Office, token: str, password: str | None = OWN) -> None:
    await verify_email(VerifyEmail(token=token, new_password=password), ANYBODY, office.ports)


async def test_a_link_proves_the_address_and_sets_the_password(office: Office) -> None:
    user_id = await invited(office)
    assert office.text().count("http://127.0.0.1:8000/account/verify#token=mlt_") == 1
    await prove(office, office.token())
    assert (await office.account(user_id)).email_verified
    assert (await office.sign_in(password=OWN)).user_id == user_id


async def test_a_link_works_once(office: Office) -> None:
    await invited(office)
    await prove(office, office.token())
    with pytest.raises(EmailAlreadyVerified):
        await prove(office, office.token(), "another password of mine")
    await office.sign_in(password=OWN)


async def test_the_first_proof_needs_a_password_worth_having(office: Office) -> None:
    user_id = await invited(office)
    with pytest.raises(NewPasswordRequired):
        await prove(office, office.token(), None)
    with pytest.raises(PasswordUnacceptable):
        await prove(office, office.token(), "ada@example.org")
    assert not (await office.account(user_id)).email_verified


async def test_a_link_expires(office: Office) -> None:
    user_id = await invited(office)
    late = office.ports.mail_tokens.read(office.token())
    assert late is not None
    (row,) = await office.rows()
    assert late.expires_at == int(row["created_at"].timestamp()) + VERIFY_TTL
    for age, works in ((1, False), (0, True)):
        shifted = msgspec.structs.replace(late, expires_at=late.expires_at - age * VERIFY_TTL - age * 60)
        if works:
            await prove(office, office.ports.mail_tokens.make(shifted))
        else:
            with pytest.raises(MailTokenInvalid):
                await prove(office, office.ports.mail_tokens.make(shifted))
    assert (await office.account(user_id)).email_verified


async def test_acc_06_07_signed_in_and_signed_out_share_three_an_hour(office: Office) -> None:
    await invited(office)
    ctx = await office.ctx(await office.sign_in())
    await resend_to_me(ctx, office.ports)
    await resend_to_address(ResendVerification(email="ADA@example.org"), ANYBODY, office.ports)
    await resend_to_me(ctx, office.ports)
    with pytest.raises(MailLimited) as limited:
        await resend_to_me(ctx, office.ports)
    assert 3_500 < limited.value.retry_after <= 3_600
    await resend_to_address(ResendVerification(email="ada@example.org"), ANYBODY, office.ports)  # says nothing
    await office.work()
    assert office.subjects() == ["Prove your address for minos"] * 4
    await office.owner.execute("UPDATE mail_budget SET expires_at = clock_timestamp()")
    await resend_to_me(ctx, office.ports)


async def test_every_link_that_was_sent_again_works_until_one_was_used(office: Office) -> None:
    await invited(office)
    await resend_to_address(ResendVerification(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    await prove(office, office.token(0))
    with pytest.raises(EmailAlreadyVerified):
        await prove(office, office.token(1))


async def test_whose_address_is_proved_gets_no_link_to_prove_it(office: Office) -> None:
    await invited(office)
    await prove(office, office.token())
    await resend_to_address(ResendVerification(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    assert office.subjects() == ["Prove your address for minos"]
    with pytest.raises(EmailAlreadyVerified):
        await resend_to_me(await office.ctx(await office.sign_in(password=OWN)), office.ports)


async def test_acc_08_an_unproved_address_signs_in_or_not_by_policy_and_only_the_right_password_hears_why(office: Office) -> None:
    await invited(office)
    object.__setattr__(office.ports, "policy", msgspec.structs.replace(office.ports.policy, unverified_sign_in=False))
    with pytest.raises(InvalidCredentials):
        await office.sign_in(password="not the password")
    for _ in range(8):  # they are no failures: nobody is locked out by knowing their password
        with pytest.raises(EmailNotVerified):
            await office.sign_in(password=PASSWORD)
    await prove(office, office.token())
    await office.sign_in(password=OWN)


async def test_whom_others_gave_an_account_is_written_to_when_they_ask_and_proves_it_without_a_password(office: Office) -> None:
    await create_administrator(CreateAdministrator(email="ada@example.org", password=PASSWORD), ANYBODY, office.ports)
    hashed = await office.ports.hasher.hash(PASSWORD)
    await import_user(ImportUser(email="grace@example.org", password_hash=hashed), ANYBODY, office.ports)
    await resend_to_address(ResendVerification(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    assert office.received.messages == [], "nobody who is signed in asked"
    signed_in = await office.sign_in()
    await resend_to_me(await office.ctx(signed_in), office.ports)
    await office.work()
    assert "http://127.0.0.1:8000/account/confirm#token=mlt_" in office.text()
    await prove(office, office.token(), None)
    assert (await office.account(signed_in.user_id)).email_verified
    assert await office.is_live(signed_in)
