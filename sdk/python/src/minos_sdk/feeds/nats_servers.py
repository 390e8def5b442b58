"""Where NATS is, and whether somebody could listen on the way there."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from minos_sdk.http import LOOPBACK


@dataclass(frozen=True, slots=True)
class Servers:
    """Where to connect. `need_tls`: whether somebody could listen on the way."""

    urls: tuple[str, ...]
    need_tls: bool
    tls: ssl.SSLContext | None = None

    @classmethod
    def of(cls, urls: Sequence[str], *, plaintext: bool, tls: ssl.SSLContext | None = None) -> "Servers":
        """Raises ValueError for a WebSocket that is not encrypted."""
        each = tuple(urls)
        far = [url for url in each if urlsplit(url if "://" in url else f"nats://{url}").hostname not in LOOPBACK]
        if not plaintext and any(url.startswith("ws://") for url in far):
            raise ValueError("a WebSocket beyond this machine is wss://, or whoever listens gets the service's token")
        return cls(each, need_tls=bool(far) and not plaintext and not all(url.startswith("wss://") for url in far), tls=tls)
