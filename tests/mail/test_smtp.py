"""The way to the server: guarded, or not gone."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from adapters.mail.folder import FolderPost
from adapters.mail.message import Mail, message
from adapters.mail.post import TryLater, Undeliverable
from adapters.mail.server import server_of
from adapters.mail.smtp import SmtpPost
from tests.ground.authority import free_port
from tests.mail.server import PASSWORD, USER, Certificate, Received, Smtp, make_certificate

Start = Callable[..., Smtp]


def written(to: str = "ada@example.org", subject: str = "Hello", sender: str = "minos@minos.example") -> EmailMessage:
    return message(
        Mail(
            mail_id=UUID(int=7),
            to=to,
            sender=sender,
            subject=subject,
            text="Grüße\n",
            html="<p>Grüße</p>",
            language="en",
            at=datetime(2026, 11, 25, 12, tzinfo=UTC),
        )
    )


def reach(server: Smtp, scheme: str = "smtp", *, who: str = "", trusting: Certificate | None = None) -> SmtpPost:
    return SmtpPost(server_of(f"{scheme}://{who}127.0.0.1:{server.port}"), ca_file=None if trusting is None else trusting.chain)


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
async def test_a_message_goes_over_tls_and_arrives_whole(start: Start, certificate: Certificate, scheme: str, implicit: bool) -> None:
    received = Received()
    await reach(start(received, certificate, implicit=implicit), scheme, trusting=certificate).send(written())
    [mail] = received.messages
    assert mail["Message-ID"] == f"<{UUID(int=7)}@minos.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Grüße", "<p>Grüße</p>"]


async def test_a_password_is_shown_after_tls_only_and_a_wrong_one_is_no_reason_to_give_up(start: Start, certificate: Certificate) -> None:
    received = Received()
    server = start(received, certificate, auth=True)
    await reach(server, who=f"{USER}:{quote(PASSWORD, safe='')}@", trusting=certificate).send(written())
    assert len(received.messages) == 1
    with pytest.raises(TryLater, match="sign_in_refused_535"):
        await reach(server, who=f"{USER}:wrong@", trusting=certificate).send(written())


async def test_starttls_that_was_stripped_on_the_way_gets_no_mail(start: Start) -> None:
    received = Received()
    with pytest.raises(TryLater):
        await reach(start(received, None)).send(written())
    assert received.messages == []


@pytest.mark.parametrize("implicit", [True, False])
async def test_a_certificate_nobody_vouches_for_gets_no_mail(start: Start, certificate: Certificate, implicit: bool) -> None:
    received = Received()
    with pytest.raises(TryLater):
        await reach(start(received, certificate, implicit=implicit), "smtps" if implicit else "smtp").send(written())
    assert received.messages == []


async def test_a_certificate_for_another_name_gets_no_mail(start: Start, tmp_path: Path) -> None:
    received, other = Received(), make_certificate(tmp_path, name="other.example")
    with pytest.raises(TryLater):
        await reach(start(received, other, implicit=True), "smtps", trusting=other).send(written())
    assert received.messages == []


async def test_a_catcher_without_tls_is_reached_by_its_own_scheme_only(start: Start) -> None:
    received = Received()
    await reach(start(received, None), "smtp+plain").send(written())
    assert len(received.messages) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        ("450 busy", TryLater, "recipient_refused_450"),
        ("452 full", TryLater, "recipient_refused_452"),
        ("550 nobody", Undeliverable, "recipient_refused_550"),
        ("553 not here", Undeliverable, "recipient_refused_553"),
    ],
)
async def test_later_and_never_are_told_apart(
    start: Start, certificate: Certificate, answer: str, kind: type[TryLater] | type[Undeliverable], reason: str
) -> None:
    received = Received(refusals=[answer])
    with pytest.raises(kind, match=reason):
        await reach(start(received, certificate), trusting=certificate).send(written())


async def test_a_server_that_is_away_is_tried_later() -> None:
    with pytest.raises(TryLater, match="not_connected"):
        await SmtpPost(server_of(f"smtp://127.0.0.1:{free_port()}")).send(written())


async def test_a_message_that_was_taken_stays_taken_whatever_follows(start: Start, certificate: Certificate) -> None:
    """The answer to QUIT is nobody's business: a fault there would send everything twice."""
    received = Received()
    server = start(received, certificate)
    received.handle_QUIT = _rude  # type: ignore[attr-defined]  # aiosmtpd looks it up by name
    await reach(server, trusting=certificate).send(written())
    assert len(received.messages) == 1


async def _rude(server: object, *_: object) -> str:
    server.transport.abort()  # type: ignore[attr-defined]  # of aiosmtpd
    return "554 never"


@pytest.mark.parametrize(
    "url",
    [
        "http://hostname",
        "smtp://",
        "mail.hostname",
        "smtp+plain://u:pw@hostname",
        "smtp://user@hostname",
        "smtp://hostname/path",
        "smtp://hostname?tls=no",
    ],
)
def test_a_url_that_could_be_misread_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its words are what is looked at
        server_of(url)
    assert "hostname" not in str(refused.value)


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\r\n "])
def test_no_header_can_be_broken_out_of(line_break: str) -> None:
    evil = f"Hello{line_break}Bcc: everybody@example.org"
    with pytest.raises(ValueError, match=r"header|linefeed|CR|address"):
        written(subject=evil)
    for part in ("to", "sender"):
        with pytest.raises((ValueError, IndexError)):
            written(**{part: f"ada{line_break}Bcc: eve@example.org"})


async def test_the_folder_takes_a_mail_that_comes_again_for_the_same(tmp_path: Path) -> None:
    post = FolderPost(tmp_path / "mail")
    await post.send(written())
    await post.send(written())
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == f"{UUID(int=7)}.eml"
    assert b"Subject: Hello" in file.read_bytes()
