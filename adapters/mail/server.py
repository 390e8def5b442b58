"""Which server takes our mail, and how the way to it is guarded: `MINOS_SMTP_URL`, taken apart."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from adapters.secret import Secret


class Transport(StrEnum):
    """How the connection is guarded, by the URL's scheme."""

    STARTTLS = "smtp"
    """TLS is demanded before anything is said (RFC 3207); a server without it gets no mail."""
    TLS = "smtps"
    """TLS from the first byte (RFC 8314 3)."""
    PLAIN = "smtp+plain"
    """For a catcher of mail beside us. Refused in production, and with a password."""


_PORTS = {Transport.STARTTLS: 587, Transport.TLS: 465, Transport.PLAIN: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    transport: Transport
    host: str
    port: int
    username: str | None
    password: Secret | None = field(repr=False)


def server_of(url: str) -> Server:
    """Take `smtp[s]://[user:password@]host[:port]` apart. Raises ValueError, whose text never quotes the URL."""
    parts = urlsplit(url)
    if parts.scheme not in set(Transport) or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected smtps://, smtp:// or smtp+plain://, then user:password@ where needed, a host and a port")
    transport = Transport(parts.scheme)
    if parts.username is not None and transport is Transport.PLAIN:
        raise ValueError("a password does not go over smtp+plain://")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("user and password go together")
    return Server(
        transport=transport,
        host=parts.hostname,
        port=parts.port or _PORTS[transport],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else Secret(unquote(parts.password)),
    )
