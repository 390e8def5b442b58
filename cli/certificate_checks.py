"""What `minos doctor` looks at of certificates: that those of the servers that the settings name do not end soon."""

import asyncio
import smtplib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs

from cryptography import x509
from msgspec import Struct

from adapters.mail.server import Transport, server_of
from adapters.server_urls import each
from adapters.settings import Settings
from adapters.settings_checks import split_url
from cli.finding import Finding, found, warned

SOON = timedelta(days=21)
_TIMEOUT_S = 5.0
_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)
"""What a client of PostgreSQL sends to ask for TLS (its protocol, 55.7)."""
_PORTS = {"https": 443, "postgresql": 5432, "postgres": 5432, "tls": 4222, "nats": 4222}


class Named(Struct, frozen=True, kw_only=True):
    """A server, what an operator calls it, and how its certificate is got: None where it has none."""

    name: str
    fetch: Callable[[], bytes | None]


async def certificates(settings: Settings) -> list[Finding]:
    """Of servers that do not answer the other checks tell."""
    servers = list(named(settings))
    got = await asyncio.gather(*(asyncio.to_thread(_ends, server) for server in servers))
    now = datetime.now(UTC)
    return [certificate(server.name, ends, now) for server, ends in zip(servers, got, strict=True) if ends is not None]


def certificate(name: str, ends: datetime, now: datetime) -> Finding:
    left = ends - now
    said = f"of {name} ends {ends:%Y-%m-%d}"
    if left <= timedelta(0):
        return found("certificate", said, "it is over: renew it", ok=False)
    return warned("certificate", said, f"{left.days} days are left: renew it", ok=left > SOON)


def named(settings: Settings) -> Iterator[Named]:
    for name, text in _addresses(settings):
        url = split_url(text)
        if url is None or not url.hostname or url.hostname.startswith("/"):
            continue
        at = (url.hostname, url.port or _PORTS.get(url.scheme, 443))
        if url.scheme in {"postgresql", "postgres"}:
            if "host" not in parse_qs(url.query):  # which names a folder with a socket
                yield Named(name=name, fetch=partial(of_postgres, *at))
        elif url.scheme in {"nats", "tls"}:
            yield Named(name=name, fetch=partial(of_nats, *at))
        elif url.scheme == "https":
            yield Named(name=name, fetch=partial(of_tls, *at))
    if settings.smtp_url is not None:
        server = server_of(settings.smtp_url.reveal())
        if server.transport is Transport.TLS:
            yield Named(name="MINOS_SMTP_URL", fetch=partial(of_tls, server.host, server.port))
        elif server.transport is Transport.STARTTLS:
            yield Named(name="MINOS_SMTP_URL", fetch=partial(of_smtp, server.host, server.port))


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "MINOS_ISSUER", settings.issuer
    for name, secret in (("MINOS_DATABASE_URL", settings.database_url), ("MINOS_NATS_URL", settings.nats_url)):
        if secret is not None:
            yield from ((name, url) for url in each(secret.reveal()))
    yield "MINOS_TRANSIT_URL", settings.transit_url
    if settings.second_place.startswith("s3:"):
        yield "MINOS_SECOND_PLACE", parse_qs(settings.second_place.partition("?")[2]).get("endpoint", [""])[0]


def of_tls(host: str, port: int) -> bytes | None:
    with socket.create_connection((host, port), _TIMEOUT_S) as line:
        return _shown(line, host)


def of_postgres(host: str, port: int) -> bytes | None:
    with socket.create_connection((host, port), _TIMEOUT_S) as line:
        line.sendall(_SSL_REQUEST)
        return _shown(line, host) if line.recv(1) == b"S" else None


def of_nats(host: str, port: int) -> bytes | None:
    with socket.create_connection((host, port), _TIMEOUT_S) as line:
        info = line.recv(65_536)
        return _shown(line, host) if b'"tls_required":true' in info or b'"tls_available":true' in info else None


def of_smtp(host: str, port: int) -> bytes | None:
    with smtplib.SMTP(host, port, timeout=_TIMEOUT_S) as server:
        server.starttls(context=_unchecked())
        return server.sock.getpeercert(binary_form=True)  # type: ignore[union-attr,no-any-return]


def _shown(line: socket.socket, host: str) -> bytes | None:
    with _unchecked().wrap_socket(line, server_hostname=host) as guarded:
        return guarded.getpeercert(binary_form=True)


def _unchecked() -> ssl.SSLContext:
    """Nothing is sent to whom it lets in: the certificate is only looked at, and one that is over has to be seen."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _ends(server: Named) -> datetime | None:
    try:
        shown = server.fetch()
    except (OSError, smtplib.SMTPException):
        return None
    return None if shown is None else x509.load_der_x509_certificate(shown).not_valid_after_utc
