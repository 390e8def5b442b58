"""Tokens in links of mails: what they stand for, and a MAC over it. Nothing is stored that would give one away."""

import re
from hmac import compare_digest
from uuid import UUID

from adapters.base64url import from_text, to_text
from adapters.macs import mac
from adapters.secrets_store import Purpose, Secrets
from commands.ports import MailToken, MailTokenKind

_LABEL = "minos mail token v1"
_SHAPE = re.compile(r"mlt_([A-Za-z0-9_-]{100})", re.ASCII)
_MAC_BYTES = 32
_KINDS: tuple[MailTokenKind, ...] = (
    MailTokenKind.VERIFY, MailTokenKind.RESET, MailTokenKind.PENDING, MailTokenKind.BROWSER, MailTokenKind.INVITATION,
    MailTokenKind.CHANGE, MailTokenKind.UNDO,
)  # fmt: skip
"""By number in the token: only ever added to."""


class DerivedMailTokens:
    """commands.ports.mail.MailTokens. `mlt_` and 75 bytes: key version, kind, subject, about, expiry, HMAC."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def make(self, token: MailToken) -> str:
        version = self._secrets.of(Purpose.MAIL_TOKEN).current
        kind = bytes([_KINDS.index(token.kind)])
        body = version.to_bytes(2, "big") + kind + token.subject.bytes + token.about.bytes + token.expires_at.to_bytes(8, "big")
        return f"mlt_{to_text(body + self._mac(version, body))}"

    def read(self, text: str) -> MailToken | None:
        shape = _SHAPE.fullmatch(text)
        raw = None if shape is None else from_text(shape[1])
        if raw is None:
            return None
        body, shown = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        version = int.from_bytes(body[:2], "big")
        if version not in self._secrets.of(Purpose.MAIL_TOKEN).keys or not compare_digest(self._mac(version, body), shown):
            return None
        return MailToken(
            kind=_KINDS[body[2]],
            subject=UUID(bytes=body[3:19]),
            about=UUID(bytes=body[19:35]),
            expires_at=int.from_bytes(body[35:43], "big"),
        )

    def _mac(self, version: int, body: bytes) -> bytes:
        return mac(self._secrets.of(Purpose.MAIL_TOKEN).keys[version], _LABEL, body)
