"""A new password by a mailed link, when the old one is forgotten."""

from collections.abc import Sequence

import pytest

from commands.forgot_password import ForgotPassword, forgot_password
from commands.reset_password import CheckReset, ResetPassword, check_reset, reset_password
from domain.errors import InvalidCredentials, InvalidEmail, MailTokenInvalid, PasswordUnacceptable
from tests.mail.conftest import ANYBODY, PASSWORD, Office

NEW = "something new to remember"


async def forget(office: Office, email: str = "ada@example.org") -> None:
    """Ask, whatever was asked for before, and let the mail come after all that was on its way."""
    await office.work()
    await office.owner.execute("DELETE FROM mail_budget")
    await forgot_password(ForgotPassword(email=email), ANYBODY, office.ports)
    await office.work()


async def reset(office: Office, token: str, password: str = NEW) -> None:
    await reset_password(ResetPassword(token=token, new_password=password), ANYBODY, office.ports)


async def let_pass(office: Office, seconds: int) -> None:
    """As far as budgets know."""
    await office.owner.execute("UPDATE mail_budget SET expires_at = expires_at - $1 * interval '1 second'", seconds)


async def test_acc_15_a_reset_sets_the_password_ends_every_session_and_proves_the_address(office: Office) -> None:
    user_id = await office.register()
    signed_in = await office.sign_in()
    await forget(office, "ADA@EXAMPLE.ORG")
    assert "/account/reset#token=mlt_" in office.text()
    await reset(office, office.token())
    assert not await office.is_live(signed_in)
    with pytest.raises(InvalidCredentials):
        await office.sign_in(password=PASSWORD)
    assert (await office.sign_in(password=NEW)).user_id == user_id
    assert (await office.account(user_id)).email_verified
    await office.work()
    assert office.subjects()[-1] == "Your minos password was changed"


async def test_acc_14_looking_at_a_link_uses_nothing_up(office: Office) -> None:
    await office.register()
    await forget(office)
    first = await check_reset(CheckReset(token=office.token()), office.ports)
    assert await check_reset(CheckReset(token=office.token()), office.ports) == first
    await reset(office, office.token())
    with pytest.raises(MailTokenInvalid):
        await check_reset(CheckReset(token=office.token()), office.ports)


async def test_a_link_expires_after_an_hour(office: Office) -> None:
    """The hour is in the log, where nobody can move it; a mail that is not out by then never goes."""
    await office.register()
    await forget(office)
    (row,) = [row for row in await office.rows() if row["letter"] == "reset_password"]
    assert (row["until"] - row["created_at"]).total_seconds() == pytest.approx(3_600, abs=1)
    live = await check_reset(CheckReset(token=office.token()), office.ports)
    assert 3_500 < (live.expires_at - row["created_at"]).total_seconds() < 3_700


async def test_a_bad_choice_leaves_the_link_as_it_was(office: Office) -> None:
    await office.register()
    await forget(office)
    with pytest.raises(PasswordUnacceptable):
        await reset(office, office.token(), "short")
    await reset(office, office.token())


async def test_a_reset_lifts_the_lock_that_guessers_brought_about(office: Office) -> None:
    await office.register()
    for _ in range(6):
        with pytest.raises(InvalidCredentials):
            await office.sign_in(password="a guess")
    with pytest.raises(InvalidCredentials):
        await office.sign_in()  # locked
    await forget(office)
    await reset(office, office.token())
    await office.sign_in(password=NEW)


async def test_acc_13_one_mail_a_minute_goes_to_an_address(office: Office) -> None:
    await office.register()
    for _ in range(3):
        await forgot_password(ForgotPassword(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    assert [subject for subject in office.subjects() if "new password" in subject] == ["A new password for minos"]


async def test_rate_08_an_address_gets_five_at_once_and_one_an_hour_and_a_network_asks_for_a_hundred_and_one_a_minute(
    office: Office,
) -> None:
    async def asked(addresses: Sequence[str], *, apart_s: int = 61) -> list[int]:
        """Which of these got their mail."""
        counts: list[int] = []
        for address in addresses:
            await let_pass(office, apart_s)
            before = await office.owner.fetchval("SELECT count(*) FROM mail_ledger")
            await forgot_password(ForgotPassword(email=address), ANYBODY, office.ports)
            counts.append(int(await office.owner.fetchval("SELECT count(*) FROM mail_ledger")) - before)
        return counts

    assert await asked(["ada@example.org"] * 7) == [1] * 5 + [0, 0]
    await let_pass(office, 3_600)
    assert await asked(["ada@example.org"] * 2) == [1, 0]
    many = [f"person{n}@example.org" for n in range(102)]
    assert await asked(many, apart_s=0) == [1] * 100 + [0, 0]
    assert await asked(many[-2:]) == [1, 1]


async def test_nobody_is_written_to_who_has_no_account(office: Office) -> None:
    await forget(office, "nobody@example.org")
    assert office.received.messages == []
    assert [(row["state"], row["address"]) for row in await office.rows()] == [("dropped", None)]


async def test_the_address_is_sealed_while_it_waits_and_gone_afterwards(office: Office) -> None:
    await forgot_password(ForgotPassword(email="lovelace@example.org"), ANYBODY, office.ports)
    (row,) = await office.rows()
    assert row["address"] is not None
    assert b"lovelace" not in bytes(row["address"])
    await office.work()
    assert (await office.rows())[0]["address"] is None


async def test_what_is_no_address_is_said_to_be_none(office: Office) -> None:
    with pytest.raises(InvalidEmail):
        await forgot_password(ForgotPassword(email="ada@example.org\r\nBcc: eve@example.org"), ANYBODY, office.ports)


async def test_a_mail_that_went_twice_holds_the_same_link(office: Office) -> None:
    await office.register()
    await forget(office)
    await office.owner.execute("UPDATE mail_ledger SET state = 'waiting', address = $1", await stored_address(office))
    await office.until_due()
    await office.work()
    resets = [n for n, subject in enumerate(office.subjects()) if "new password" in subject]
    assert len(resets) == 2
    assert office.token(resets[0]) == office.token(resets[1])


async def stored_address(office: Office) -> bytes:
    (row,) = [row for row in await office.rows() if row["letter"] == "reset_password"]
    return office.opened.mail_boxes.seal("ada@example.org", row["mail_id"])
