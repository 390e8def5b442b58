"""A mailed code reaches the mailbox, and is nowhere else."""

import re

from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.mailed_codes import EnableMailedCodes, enable_mailed_codes, offer_mailed_codes
from commands.ports import Letter
from commands.sign_in import SignIn, sign_in
from commands.sign_in_challenge import Factor, FactorRequired
from commands.token_answer import SignedIn
from commands.verify_email import VerifyEmail, verify_email
from tests.mail.conftest import ANYBODY, Office

CHOSEN = "another horse battery staple"


async def read_code(office: Office) -> str:
    await office.work()
    found = re.search(r"\b(\d{6})\b", office.text())
    assert found
    assert found[1] in office.subjects()[-1]
    return found[1]


async def test_a_code_is_in_the_mail_and_neither_in_the_log_nor_in_the_ledger(office: Office) -> None:
    await office.register()
    await office.work()
    await verify_email(VerifyEmail(token=office.token(), new_password=CHOSEN), ANYBODY, office.ports)
    ctx = await office.ctx(await office.sign_in(password=CHOSEN))
    asked = await offer_mailed_codes(ctx, office.ports)
    await enable_mailed_codes(EnableMailedCodes(challenge=asked.challenge, code=await read_code(office)), ctx, office.ports)
    await office.work()
    assert "second factor" in office.subjects()[-1]
    answer = await sign_in(SignIn(email="ada@example.org", password=CHOSEN), ANYBODY, office.ports)
    assert isinstance(answer, FactorRequired)
    code = await read_code(office)
    wish = CompleteSignIn(challenge=answer.challenge, factor=Factor.EMAIL, code=code)
    assert isinstance(await complete_sign_in(wish, ANYBODY, office.ports), SignedIn)
    kept = [str(row) for row in await office.rows()]
    kept += [bytes(row["payload"]).decode() for row in await office.owner.fetch("SELECT payload FROM events")]
    assert [text for text in kept if re.search(rf"(?<!\d){code}(?!\d)", text)] == []


async def test_an_address_that_is_proved_no_more_gets_no_code(office: Office) -> None:
    user_id = await office.known()
    await office.ports.mailbox.ask(Letter.SIGN_IN_CODE, to=user_id, about=user_id, budgets=(), keep_s=60)
    await office.work()
    assert office.subjects() == []
