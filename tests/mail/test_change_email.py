"""The new address is asked by mail and the earlier one told; what is due afterwards is done without anybody asking."""

from datetime import timedelta
from uuid import uuid4

import asyncpg

from commands.begin_registration import Begun
from commands.change_email import ChangeEmail, ask_to_change_email
from commands.context import Context
from commands.forgot_password import ForgotPassword, forgot_password
from commands.transact import Transaction, transact
from commands.undo_email import UndoEmail, undo_email
from commands.verify_email import VerifyEmail, verify_email
from domain import address_change, user
from domain.address_change import UNDO_TTL
from domain.event import SealClass
from domain.ids import ClaimId, UserId
from tests.mail.conftest import ANYBODY, Office
from tests.mail.test_deleted_accounts import projected
from workers.timekeeper import Timekeeper

OWN = "chosen with the mail at hand"
TOLD = "The address of your minos account was changed"


async def ada(office: Office) -> Context:
    """Signed in, with an address she proved."""
    await office.register()
    await office.work()
    await verify_email(VerifyEmail(token=office.token(), new_password=OWN), ANYBODY, office.ports)
    await office.work()
    office.received.messages.clear()
    office.received.envelopes.clear()
    return await office.ctx(await office.sign_in(password=OWN))


async def ask(office: Office, ctx: Context, email: str = "lovelace@example.org") -> Begun:
    begun = await ask_to_change_email(ChangeEmail(email=email), ctx, office.ports)
    await office.work()
    return begun


async def move(office: Office) -> Context:
    ctx = await ada(office)
    begun = await ask(office, ctx)
    await verify_email(VerifyEmail(token=office.token(), registration=begun.registration), ANYBODY, office.ports)
    await office.work()
    return ctx


async def test_the_new_address_gets_the_link_and_the_earlier_one_hears_of_the_change(office: Office) -> None:
    await move(office)
    assert [(mail["To"], mail["Subject"]) for mail in office.received.messages] == [
        ("lovelace@example.org", "Your new address for minos"),
        ("ada@example.org", TOLD),
    ]
    assert "/account/change#token=mlt_" in office.text(0)
    assert "/account/undo#token=mlt_" in office.text(1)
    assert "lovelace" not in office.text(1)


async def test_by_that_link_the_earlier_address_takes_it_back(office: Office) -> None:
    await move(office)
    await undo_email(UndoEmail(token=office.token(), new_password="mine after all, it is"), ANYBODY, office.ports)
    await office.sign_in(password="mine after all, it is")
    await office.work()
    assert (office.received.messages[-1]["To"], office.subjects()[-1]) == ("ada@example.org", "Your minos password was changed")


async def test_whoever_asks_with_the_earlier_address_is_told_again_and_gets_no_link_sent_elsewhere(office: Office) -> None:
    """They never saw the first mail, and find that their password is wrong."""
    await move(office)
    before = len(office.received.messages)
    await forgot_password(ForgotPassword(email="ADA@example.org"), ANYBODY, office.ports)
    await office.begin("ada@example.org")
    await office.work()
    told = office.received.messages[before:]
    assert [(mail["To"], mail["Subject"]) for mail in told] == [("ada@example.org", TOLD)] * 2
    await undo_email(UndoEmail(token=office.token(), new_password="mine after all, it is"), ANYBODY, office.ports)


async def test_whose_address_it_is_hears_that_another_wanted_it_and_nobody_else_does(office: Office) -> None:
    await office.known("Taken@example.org")
    ctx = await ada(office)
    await ask(office, ctx, "taken@example.org")
    assert [(mail["To"], mail["Subject"]) for mail in office.received.messages] == [
        ("Taken@example.org", "Your address is used for an account at minos already")
    ]
    assert "token" not in office.text()


async def test_ones_own_address_is_no_news(office: Office) -> None:
    await ask(office, await ada(office), "ADA@example.org")
    assert office.received.messages == []


async def test_nothing_that_waits_says_which_address_it_is(office: Office) -> None:
    ctx = await ada(office)
    await ask_to_change_email(ChangeEmail(email="lovelace@example.org"), ctx, office.ports)
    rows: list[asyncpg.Record] = [
        *await office.owner.fetch("SELECT * FROM pending_registrations"),
        *await office.owner.fetch("SELECT * FROM mail_ledger WHERE letter = 'change_email'"),
    ]
    assert len(rows) == 2
    assert not any(b"lovelace" in value for row in rows for value in row.values() if isinstance(value, bytes))


async def test_an_address_on_its_way_says_nothing_once_the_change_was_taken_back(office: Office) -> None:
    await move(office)
    await undo_email(UndoEmail(token=office.token(), new_password="mine after all, it is"), ANYBODY, office.ports)
    await office.owner.execute("UPDATE mail_ledger SET state = 'waiting', due_at = clock_timestamp() WHERE letter = 'email_changed'")
    before = len(office.received.messages)
    await office.work()
    assert office.subjects()[before:] == ["Your minos password was changed"]


async def moved_three_days_ago(office: Office, user_id: UserId) -> None:
    of_user = user.stream(user_id)
    sealed = await office.ports.vault.seal(subject=of_user, seal_class=SealClass.PROFILE, stream=of_user, fields={"email": "l@example.org"})

    def decide(tx: Transaction) -> None:
        then = tx.at - timedelta(seconds=UNDO_TTL)
        events = address_change.change(tx.state(user.decider, of_user), email=sealed["email"], claim=ClaimId(uuid4()), at=then)
        tx.record(user.decider, of_user, events)

    await transact(office.ports, ANYBODY, [(user.decider, of_user)], decide)


async def test_when_it_is_too_late_the_earlier_address_is_released_without_anybody_asking(office: Office) -> None:
    ctx = await ada(office)
    assert ctx.principal is not None
    keeper = Timekeeper(office.settings)
    await moved_three_days_ago(office, ctx.principal.user_id)
    await projected(office)
    assert await keeper.step() == 1
    assert await keeper.step() == 0  # the read model still says it is due
    assert await office.register() != ctx.principal.user_id


async def test_while_it_can_be_taken_back_nothing_is_due(office: Office) -> None:
    await move(office)
    await projected(office)
    assert await Timekeeper(office.settings).step() == 0
