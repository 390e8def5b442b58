"""Secrets of service accounts: made here, shown once, kept as an HMAC."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from commands.ports import Ports, SecretKind
from domain.client_events import SecretDigest
from domain.ids import ClientId, ClientSlug, SecretId
from domain.secret_text import SECRET_BYTES, is_written, written

PREFIX = "mcs_"
"""Minos client secret: what scanners look for."""


SecretTtl = Annotated[int, Meta(ge=3_600, le=731 * 86_400, description="Seconds that the secret lives; without it, until it is replaced.")]


class ClientSecret(Struct, frozen=True, kw_only=True):
    """A new secret. It cannot be shown again."""

    client_id: ClientSlug
    client_secret: str
    secret_id: SecretId
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"ClientSecret(client_id={self.client_id}, secret_id={self.secret_id})"


def new_secret(client_id: ClientId, ports: Ports, *, ttl: int | None, at: datetime) -> tuple[ClientSecret, SecretDigest]:
    """Give a secret as it is shown and as it is kept. `ttl` in seconds; without one it lives until it is replaced."""
    text = written(PREFIX, ports.random.bytes(SECRET_BYTES))
    secret_id = SecretId(ports.random.uuid7())
    expires_at = None if ttl is None else at + timedelta(seconds=ttl)
    mac = ports.macs.secret(SecretKind.CLIENT_SECRET, client_id, text)
    kept = SecretDigest(secret_id=secret_id, digest=mac.digest, key_version=mac.key_version, made_at=at, expires_at=expires_at)
    return ClientSecret(client_id=client_id, client_secret=text, secret_id=secret_id, expires_at=expires_at), kept


def opens(known: SecretDigest, client_id: ClientId, shown: str, ports: Ports) -> bool:
    """Tell whether a shown secret is this one; in the same time wherever it differs."""
    return is_written(shown, PREFIX) and ports.macs.secret_matches(
        SecretKind.CLIENT_SECRET, client_id, shown, digest=known.digest, key_version=known.key_version
    )
