"""One mail as RFC 5322 has it: text, the same as HTML, and an id by which a repeat can be told."""

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

_POLICY = SMTP.clone(max_line_length=998)
"""Lines of headers are not folded below what RFC 5322 2.1.1 allows: folding encodes what need not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is to be sent to one address. The same `mail_id` always makes the same Message-ID."""

    mail_id: UUID
    to: str = field(repr=False)
    sender: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    at: datetime


def message(mail: Mail) -> EmailMessage:
    """Write the mail. Raises ValueError for what no header can hold, such as a line break, or an address that is none."""
    written = EmailMessage(policy=_POLICY)
    written["From"] = Address(addr_spec=mail.sender)
    written["To"] = Address(addr_spec=mail.to)
    written["Subject"] = mail.subject
    written["Date"] = format_datetime(mail.at)
    written["Message-ID"] = f"<{mail.mail_id}@{mail.sender.rpartition('@')[2]}>"
    written["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: nobody's holiday notice answers this
    written.set_content(mail.text)
    written.add_alternative(mail.html, subtype="html")
    written["Content-Language"] = mail.language  # now that the parts have what is theirs of Content-*
    return written
