"""A real SMTP server (aiosmtpd) with a certificate of its own, which does what a test tells it to."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ground.authority import free_port

USER, PASSWORD = "minos", "a password with @ and :"


@dataclass
class Received:
    """What has come in, and what to answer next: each of `answers` is for one message's data, `refusals` for recipients."""

    messages: list[EmailMessage] = field(default_factory=list[EmailMessage])
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list[tuple[str, list[str]]])
    answers: list[str] = field(default_factory=list[str])
    refusals: list[str] = field(default_factory=list[str])
    taken: threading.Event = field(default_factory=threading.Event)
    at_data: Callable[[], None] = lambda: None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.SMTP))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.taken.set()
        self.at_data()
        return "250 taken"


@dataclass(frozen=True)
class Certificate:
    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def make_certificate(folder: Path, *, name: str = "localhost", file: str = "server") -> Certificate:
    """A certificate that signed itself, for `name` and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / f"{file}.pem", folder / f"{file}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return Certificate(chain, private)


class Smtp:
    """One server; `url` is how to reach it. With `auth` it takes mail from USER only."""

    def __init__(self, received: Received, certificate: Certificate | None, *, implicit: bool = False, auth: bool = False) -> None:
        self.received = received
        self.port = free_port()
        options: dict[str, Any] = {"auth_required": auth, "authenticator": _known, "auth_require_tls": certificate is not None}
        if certificate is not None and implicit:
            options |= {"ssl_context": certificate.context()}
        elif certificate is not None:
            options |= {"tls_context": certificate.context(), "require_starttls": True}
        self._controller = Controller(received, hostname="127.0.0.1", port=self.port, ready_timeout=10, **options)

    def start(self) -> "Smtp":
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop()


def _known(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
    if mechanism not in {"LOGIN", "PLAIN"} or not isinstance(data, LoginPassword):
        return AuthResult(success=False, handled=False)
    right = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)
