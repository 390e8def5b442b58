"""From an event to a mailbox, each letter once, however often anybody looks."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import asyncpg

from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from commands.change_profile import ChangeProfile, change_profile
from commands.forgot_password import ForgotPassword, forgot_password
from domain import user
from domain.event import SealClass
from domain.locale import Locale
from migrations import runner
from tests.conftest import database_of
from tests.mail.conftest import ANYBODY, Office
from tests.projections.histories import Scribe
from workers.mailer.ledger import MOST_ATTEMPTS
from workers.mailer.ledger import SQL as LEDGER
from workers.sequencer import Sequencer


async def test_a_changed_password_is_told_to_the_accounts_address(office: Office) -> None:
    await office.change_password(await office.known("Ada@Example.org"))
    await office.work()
    [mail] = office.received.messages
    assert mail["To"] == "Ada@example.org"
    assert mail["From"] == "minos@minos.example"
    assert mail["Subject"] == "Your minos password was changed"
    assert office.received.envelopes == [("minos@minos.example", ["Ada@example.org"])]
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert "was changed on 20" in plain
    assert plain.split()[:6] == ["The", "password", "of", "your", "minos", "account"]
    assert "<p>If it was you, there is nothing to do.</p>" in html


async def test_choosing_the_first_password_is_no_news(office: Office) -> None:
    await office.known()
    await office.work()
    assert [row for row in await office.rows() if row["letter"] == "password_changed"] == []


async def test_two_mailers_at_once_write_one_row_and_send_one_mail(office: Office) -> None:
    for name in ("ada", "bob", "eve"):
        await office.change_password(await office.known(f"{name}@example.org"))
    await office.sequence()
    mailers = [office.mailer() for _ in range(4)]
    await asyncio.gather(*(mailer.turn() for mailer in mailers))
    await asyncio.gather(*(mailer.deliver() for mailer in mailers))
    assert [row["state"] for row in await office.rows() if row["letter"] == "password_changed"] == ["sent"] * 3
    assert sorted(str(mail["To"]) for mail in office.received.messages) == [f"{name}@example.org" for name in ("ada", "bob", "eve")]


async def test_what_was_read_asks_for_nothing_a_second_time(office: Office) -> None:
    await office.change_password(await office.known())
    await office.work()
    await office.owner.execute("UPDATE reactor_state SET position = 0")
    await office.mailer().turn()
    await office.work()
    assert [row["letter"] for row in await office.rows()] == ["password_changed", "verify_email"]  # the one that was taken away comes back
    assert office.subjects().count("Your minos password was changed") == 1


async def test_the_ledger_holds_no_address(office: Office) -> None:
    await office.change_password(await office.known("lovelace@example.org"))
    await office.work()
    dump = str(await office.rows())
    assert "lovelace" not in dump
    assert "example.org" not in dump


async def test_a_server_that_is_busy_gets_it_again_later_under_the_same_id(office: Office) -> None:
    office.received.answers.append("451 try again")
    await office.change_password(await office.known())
    await office.work()
    [row] = await office.rows()
    assert (row["state"], row["reason"], row["attempts"]) == ("waiting", "refused_451", 1)
    assert 45 < (row["due_at"] - row["created_at"]).total_seconds() < 80
    await office.work()
    assert office.received.messages == []  # its pause is not over
    await office.until_due()
    await office.work()
    [mail] = office.received.messages
    assert mail["Message-ID"] == f"<{row['mail_id']}@minos.example>"
    assert [row["state"] for row in await office.rows()] == ["sent"]


async def test_whom_the_server_will_never_write_to_is_given_up_at_once_and_shown(office: Office) -> None:
    office.received.refusals.append("550 no such mailbox")
    await office.change_password(await office.known())
    await office.work()
    [row] = await office.rows()
    assert (row["state"], row["reason"], row["attempts"]) == ("failed", "recipient_refused_550", 1)
    assert [(settled.state, settled.reason) for settled in office.settled] == [("failed", "recipient_refused_550")]


async def test_what_was_asked_for_and_failed_goes_out_when_it_is_tried_again(office: Office) -> None:
    """A server that refused everybody for an hour: what people asked for meanwhile is not lost."""
    await office.known()
    office.received.refusals.append("550 not today")
    await forgot_password(ForgotPassword(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    assert [row["state"] for row in await office.rows()] == ["failed"]
    await office.owner.fetch(LEDGER["retry"], None)
    await office.work()
    assert office.subjects() == ["A new password for minos"]
    assert [(row["state"], row["address"]) for row in await office.rows()] == [("sent", None)]


async def test_an_address_is_kept_no_longer_than_its_mail_is_of_use(office: Office) -> None:
    await forgot_password(ForgotPassword(email="ada@example.org"), ANYBODY, office.ports)
    await office.owner.execute("UPDATE mail_ledger SET until = clock_timestamp()")
    await office.work()
    assert [(row["state"], row["address"]) for row in await office.rows()] == [("failed", None)]


async def test_pauses_grow_and_end(office: Office) -> None:
    await office.change_password(await office.known())
    pauses: list[float] = []
    for _ in range(MOST_ATTEMPTS):
        office.received.answers.append("421 not now")
        await office.work()
        [row] = await office.rows()
        pauses.append((row["due_at"] - await office.owner.fetchval("SELECT clock_timestamp()")).total_seconds())
        await office.until_due()
    assert (await office.rows())[0]["state"] == "failed"
    assert all(later > 1.2 * earlier for earlier, later in pairwise(pauses[:7])), pauses
    assert max(pauses) <= 1.2 * 4 * 3_600
    await office.work()
    assert office.received.messages == []


async def test_a_mail_of_no_more_use_is_not_sent(office: Office) -> None:
    await office.change_password(await office.known())
    await office.sequence()
    await office.mailer().turn()
    await office.owner.execute("UPDATE mail_ledger SET until = clock_timestamp()")
    await office.work()
    assert [(row["state"], row["reason"]) for row in await office.rows()] == [("failed", "too_late")]


async def test_one_letter_that_cannot_be_written_keeps_no_other_back(office: Office) -> None:
    await office.owner.execute(
        "INSERT INTO mail_ledger (mail_id, letter, facts, until) VALUES (gen_random_uuid(), 'of_another_release', '{}', 'infinity')"
    )
    await office.change_password(await office.known())
    await office.work()
    assert len(office.received.messages) == 1
    assert sorted((row["state"], row["reason"]) for row in await office.rows()) == [("sent", None), ("waiting", "not_written")]


async def test_an_erased_address_is_written_to_by_nobody(office: Office) -> None:
    user_id = await office.known()
    await office.change_password(user_id)
    await office.owner.execute(
        "DELETE FROM vault.subject_keys WHERE subject = $1 AND seal_class = $2", user.stream(user_id), SealClass.PROFILE
    )
    office.opened.vault.forget([])
    office.opened.vault._by_id.drop_where(lambda _: True)
    await office.work()
    assert [(row["state"], row["reason"]) for row in await office.rows()] == [("dropped", "nothing_to_say")]


async def test_where_mail_is_off_letters_are_dropped_and_do_not_pile_up(office: Office) -> None:
    office.post = None
    await office.change_password(await office.known())
    await office.work()
    assert [(row["state"], row["reason"]) for row in await office.rows()] == [("dropped", "mail_is_off")]


async def test_mails_are_written_in_the_language_of_the_settings(open_office: Callable[..., Awaitable[Office]]) -> None:
    office = await open_office(mail_language="de")
    await office.change_password(await office.known())
    await office.work()
    [mail] = office.received.messages
    assert mail["Subject"] == "Ihr Passwort bei minos wurde geändert"
    assert mail["Content-Language"] == "de"


async def test_who_chose_a_language_is_written_to_in_it_and_others_are_not(office: Office) -> None:
    ada, bob = await office.known(), await office.known("bob@example.org")
    await change_profile(ChangeProfile(locale=Locale.DE), await office.ctx(await office.sign_in()), office.ports)
    for user_id in (ada, bob):
        await office.change_password(user_id)
    await forgot_password(ForgotPassword(email="ada@example.org"), ANYBODY, office.ports)
    await office.work()
    said = {(str(mail["To"]), str(mail["Subject"]), str(mail["Content-Language"])) for mail in office.received.messages}
    assert said == {
        ("ada@example.org", "Ihr Passwort bei minos wurde geändert", "de"),
        ("ada@example.org", "Ein neues Passwort für minos", "de"),
        ("bob@example.org", "Your minos password was changed", "en"),
    }


async def test_nobody_is_written_to_about_what_happened_before_there_was_mail(postgres_server: PostgresServer) -> None:
    """A log that is older than the mailer: the migration puts its cursor at the end."""
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute("CREATE DATABASE before_mail OWNER minos_owner")
    database = database_of(postgres_server, "before_mail")
    owner = await asyncpg.connect(database.owner_url)
    store, sequencer = PostgresEventStore(database.app_url), Sequencer(database.app_url)
    try:
        files = runner.load()
        [mail] = [file.version for file in files if file.name == "mail"]
        await runner.migrate(owner, files[: mail - 1])
        await Scribe(store).user()
        await sequencer.step()
        await runner.migrate(owner)
        assert await owner.fetchval("SELECT position FROM reactor_state WHERE name = 'mailer'") == 2
    finally:
        await sequencer.close()
        await store.close()
        await owner.close()
        await superuser.execute("DROP DATABASE before_mail WITH (FORCE)")
        await superuser.close()
