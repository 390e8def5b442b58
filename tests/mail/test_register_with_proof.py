"""Registering where an address has to be proved first: nothing is in the log before it is."""

import httpx
import pytest
from msgspec.structs import replace

from api.app import create
from commands.verify_email import VerifyEmail, verify_email
from domain.codec import tag_of
from domain.errors import EmailTaken, InvalidCredentials, MailTokenInvalid, NewPasswordRequired, PasswordUnacceptable, UsernameTaken
from domain.user_events import PasswordSet
from tests.api.conftest import lifespan, until_open
from tests.mail.conftest import ANYBODY, PASSWORD, Office

PASSWORD_SET = tag_of(PasswordSet)
OWN = "chosen with the mail at hand"


async def finish(office: Office, token: str, **more: str) -> None:
    await verify_email(VerifyEmail(token=token, **more), ANYBODY, office.ports)


async def events(office: Office) -> int:
    return int(await office.owner.fetchval("SELECT count(*) FROM events WHERE type LIKE 'user.%'"))


async def test_nothing_is_appended_before_the_proof_and_all_of_it_with_it(office: Office) -> None:
    secret = await office.begin("Ada@example.org", username="ada", name="Ada Lovelace")
    assert await events(office) == 0
    dump = str(await office.owner.fetch("SELECT * FROM pending_registrations")) + str(await office.rows())
    assert "ada" not in dump.lower().replace("pending_id", "")
    await office.work()
    assert office.received.envelopes[-1][1] == ["Ada@example.org"]
    await finish(office, office.token(), registration=secret)
    signed_in = await office.sign_in()
    account = await office.account(signed_in.user_id)
    assert account.email_verified
    assert account.username is not None
    await office.work()
    assert office.subjects() == ["Finish registering at minos"]  # and no second mail to prove it


async def test_the_log_says_that_its_password_was_chosen(office: Office) -> None:
    secret = await office.begin()
    await office.work()
    await finish(office, office.token(), registration=secret)
    kept = await office.owner.fetchval("SELECT convert_from(payload, 'UTF8')::jsonb ->> 'reason' FROM events WHERE type = $1", PASSWORD_SET)
    assert kept == "chosen"


async def test_another_browser_chooses_its_own_password(office: Office) -> None:
    await office.begin()
    other = await office.begin("eve@example.org")
    await office.work()
    token = next(office.token(n) for n, mail in enumerate(office.received.messages) if mail["To"] == "ada@example.org")
    for more in ({}, {"registration": other}, {"registration": token}):
        with pytest.raises(NewPasswordRequired):
            await finish(office, token, **more)
    with pytest.raises(PasswordUnacceptable):
        await finish(office, token, new_password="short")
    await finish(office, token, new_password=OWN)
    with pytest.raises(InvalidCredentials):
        await office.sign_in(password=PASSWORD)
    await office.sign_in(password=OWN)


async def test_a_link_works_once_and_for_a_day(office: Office) -> None:
    secret = await office.begin()
    await office.work()
    await office.owner.execute("UPDATE pending_registrations SET expires_at = clock_timestamp()")
    with pytest.raises(MailTokenInvalid):
        await finish(office, office.token(), registration=secret)
    await office.owner.execute("UPDATE pending_registrations SET expires_at = clock_timestamp() + interval '1 hour'")
    await finish(office, office.token(), registration=secret)
    with pytest.raises(MailTokenInvalid):
        await finish(office, office.token(), registration=secret)
    assert await office.owner.fetchval("SELECT count(*) FROM pending_registrations") == 0


async def test_of_two_that_wait_for_one_address_the_first_proof_counts(office: Office) -> None:
    first, second = await office.begin(), await office.begin(password="over the hills and far away")
    await office.work()
    tokens = [office.token(n) for n in range(2)]
    await finish(office, tokens[0], new_password=OWN)
    with pytest.raises(EmailTaken):
        await finish(office, tokens[1], new_password=OWN)
    assert first != second


async def test_a_username_that_went_meanwhile_can_be_replaced(office: Office) -> None:
    secret = await office.begin(username="ada")
    await office.work()
    other = await office.begin("bob@example.org", username="ada")
    await office.work()
    await finish(office, office.token(-1), registration=other)
    with pytest.raises(UsernameTaken):
        await finish(office, office.token(0), registration=secret)
    await finish(office, office.token(0), registration=secret, username="ada-too")
    await office.sign_in()


async def test_the_mailbox_of_a_known_address_hears_that_there_is_an_account(office: Office) -> None:
    user_id = await office.register("Ada@example.org")
    await office.owner.execute("DELETE FROM mail_ledger")
    await office.sequence()
    await office.begin("ADA@example.org")
    await office.work()
    assert office.subjects()[-1] == "You have an account at minos already"
    assert office.received.envelopes[-1][1] == ["Ada@example.org"]
    assert "token" not in office.text()
    assert not (await office.account(user_id)).email_verified


async def test_mail_to_one_address_is_bounded(office: Office) -> None:
    for _ in range(5):
        await office.begin()
    assert await office.owner.fetchval("SELECT count(*) FROM pending_registrations") == 3


async def test_acc_01_the_answer_is_the_same_for_every_address(office: Office) -> None:
    await office.register("known@example.org")
    edge = create(replace(office.settings, email_verification="required"))
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with lifespan(edge), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        await until_open(edge)
        shapes: list[tuple[int, list[str], int]] = []
        for email in ("known@example.org", "unknown@example.org"):
            answer = await http.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD})
            body = answer.json()
            assert body.pop("status") == "proof_required"
            shapes.append((answer.status_code, sorted(body), len(body["registration"])))
        assert shapes[0] == shapes[1]
        assert shapes[0][0] == 202
    assert await events(office) == 2  # of the one who was there before
