"""Mail asked for by strangers until nobody else gets any: an address, and everybody behind one address of a network, are to be shut out."""

from msgspec.structs import replace

from commands.forgot_password import ForgotPassword, forgot_password
from commands.verify_email import ResendVerification, resend_to_address, resend_to_me
from tests.attacks.mailed import *  # noqa: F403 - fixtures
from tests.mail.conftest import ANYBODY, Office
from tests.mail.test_reset_password import let_pass

ADA = "ada@example.org"
ELSEWHERE = replace(ANYBODY, network="198.51.100.0/24")


async def mails(office: Office, letter: str) -> int:
    return int(await office.owner.fetchval("SELECT count(*) FROM mail_ledger WHERE letter = $1", letter))


async def ask_all_day(office: Office, *, every_s: int, hours: int) -> None:
    """A new password for Ada, by somebody who has networks enough."""
    for n in range(hours * 3_600 // every_s):
        await let_pass(office, every_s)
        await forgot_password(ForgotPassword(email=ADA), replace(ANYBODY, network=f"network {n}"), office.ports)


async def test_asking_for_resets_uses_up_no_other_mail_of_the_victim(office: Office) -> None:
    await office.known(ADA)
    await ask_all_day(office, every_s=61, hours=1)
    await resend_to_address(ResendVerification(email=ADA), ELSEWHERE, office.ports)
    assert await mails(office, "verify_email") == 1


async def test_whoever_asks_all_the_time_gets_the_owner_a_working_link_every_hour(office: Office) -> None:
    """They delay it, and cannot keep it away: whoever reads the mailbox has the newest link, whoever asked for it."""
    await office.known(ADA)
    await ask_all_day(office, every_s=61, hours=2)
    before = await mails(office, "reset_password")
    await ask_all_day(office, every_s=300, hours=3)
    assert await mails(office, "reset_password") - before == 3


async def test_asking_in_vain_for_one_address_leaves_its_network_the_mail_of_the_others(office: Office) -> None:
    for _ in range(120):
        await forgot_password(ForgotPassword(email="nobody@example.org"), ANYBODY, office.ports)
    await forgot_password(ForgotPassword(email=ADA), ANYBODY, office.ports)
    assert await mails(office, "reset_password") == 2


async def test_a_stranger_behind_the_same_address_keeps_nobody_out_for_longer_than_a_minute(office: Office) -> None:
    await office.known(ADA)
    signed_in = await office.ctx(await office.sign_in(ADA))
    for n in range(101):
        await forgot_password(ForgotPassword(email=f"person{n}@example.org"), ANYBODY, office.ports)
    asked = await mails(office, "reset_password")
    await resend_to_me(signed_in, office.ports)  # who they are is known: they wait for no stranger
    await let_pass(office, 60)
    await forgot_password(ForgotPassword(email=ADA), ANYBODY, office.ports)
    assert await mails(office, "reset_password") == asked + 1


async def test_nobody_is_written_to_at_will_by_whoever_opened_an_account_for_their_address(office: Office) -> None:
    """A never-proved address, and an account whose password its opener changes again and again."""
    user_id = await office.known("victim@example.org")
    for _ in range(8):
        await office.change_password(user_id)
    await office.work()
    assert len(office.received.messages) == 5
