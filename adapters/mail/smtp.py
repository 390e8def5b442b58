"""Mail by SMTP (RFC 5321), over TLS that is verified, with a deadline on everything."""

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from adapters.mail.post import TryLater, Undeliverable
from adapters.mail.server import Server, Transport

ANSWER_SECONDS = 10.0
WHOLE_SECONDS = 30.0
"""Of one message, connecting included. A mail that was taken to be sent is not tried by another mailer before this is over."""
_GONE_FOR_GOOD = 500


class SmtpPost:
    """A connection for each message: mail is rare, and a connection that was kept is the first thing to be dead."""

    def __init__(self, server: Server, *, ca_file: Path | None = None) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def send(self, message: EmailMessage) -> None:
        client = self._client()
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await client.connect()
                await client.send_message(message)
        except TimeoutError as error:
            raise TryLater("timeout") from error
        except SMTPException as error:
            raise _refusal(error) from error
        except (OSError, ssl.SSLError) as error:
            raise TryLater("not_connected") from error
        finally:
            await _part_from(client)

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=None if server.password is None else server.password.reveal(),
            timeout=ANSWER_SECONDS,
            use_tls=server.transport is Transport.TLS,
            start_tls=server.transport is Transport.STARTTLS,
            tls_context=None if server.transport is Transport.PLAIN else self._tls,
        )


async def _part_from(client: SMTP) -> None:
    """What was taken stays taken, whatever the server says to our leaving."""
    with suppress(SMTPException, OSError, TimeoutError):
        if client.is_connected:
            await client.quit(timeout=1)
    client.close()


def _refusal(error: SMTPException) -> TryLater | Undeliverable:
    """Whom the server will never write to is told apart from what an operator or time may mend."""
    match error:
        case SMTPRecipientsRefused():
            return _by_code("recipient_refused", error.recipients[0].code)
        case SMTPAuthenticationError():
            return TryLater(f"sign_in_refused_{error.code}")
        case SMTPSenderRefused():
            return TryLater(f"sender_refused_{error.code}")
        case SMTPResponseException():
            return _by_code("refused", error.code)
        case SMTPNotSupported():
            return Undeliverable("address_not_supported")
        case _:
            return TryLater("not_connected")


def _by_code(what: str, code: int) -> TryLater | Undeliverable:
    return Undeliverable(f"{what}_{code}") if code >= _GONE_FOR_GOOD else TryLater(f"{what}_{code}")
