"""Pre-hijack (threats.md 2): somebody opens an account for another's address, stays signed in, and waits for its owner."""

import pytest

from commands.verify_email import VerifyEmail, verify_email
from domain.errors import InvalidCredentials, MailTokenInvalid
from tests.attacks.mailed import *  # noqa: F403 - fixtures
from tests.attacks.test_reset_link_misused import NEW, forget, reset
from tests.mail.conftest import ANYBODY, PASSWORD, Office


async def test_the_first_proof_throws_out_whoever_opened_the_account(office: Office) -> None:
    await office.register("victim@example.org")
    theirs = [await office.sign_in("victim@example.org") for _ in range(2)]
    await office.work()
    await verify_email(VerifyEmail(token=office.token(), new_password=NEW), ANYBODY, office.ports)
    assert [await office.is_live(signed_in) for signed_in in theirs] == [False, False]
    with pytest.raises(InvalidCredentials):
        await office.sign_in("victim@example.org", PASSWORD)
    await office.sign_in("victim@example.org", NEW)


async def test_a_reset_is_a_first_proof_too(office: Office) -> None:
    await office.register("victim@example.org")
    theirs = await office.sign_in("victim@example.org")
    await forget(office, "victim@example.org")
    await reset(office, office.token())
    assert not await office.is_live(theirs)
    with pytest.raises(InvalidCredentials):
        await office.sign_in("victim@example.org", PASSWORD)


async def test_where_proofs_come_first_the_attackers_password_never_is_one(office: Office) -> None:
    """They registered the victim's address, and have the browser's secret; the link is in the victim's mailbox."""
    theirs = await office.begin("victim@example.org", "the attackers own password")
    with pytest.raises(MailTokenInvalid):
        await verify_email(VerifyEmail(token=theirs, registration=theirs), ANYBODY, office.ports)
    await office.work()
    await verify_email(VerifyEmail(token=office.token(), new_password=NEW), ANYBODY, office.ports)
    with pytest.raises(InvalidCredentials):
        await office.sign_in("victim@example.org", "the attackers own password")
    await office.sign_in("victim@example.org", NEW)
