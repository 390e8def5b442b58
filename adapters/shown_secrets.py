"""Secrets of answers in an unlogged table: neither in a backup nor after a crash, each closed under its caller's Idempotency-Key."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.framing import framed
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from commands.ports import KEPT_S, Place

SQL = statements(Path(__file__).with_suffix(".sql"))
NONCE_BYTES = 12
_LABEL = "minos shown secret v1"


class PostgresShownSecrets:
    """commands.ports.ShownSecrets."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def keep(self, place: Place, secret: str) -> None:
        await self._links.run(SQL["keep"], place.key, place.answer_id, close(place, secret), KEPT_S)

    async def find(self, place: Place) -> str | None:
        rows = await self._links.read(SQL["find"], place.key, place.answer_id)
        return unclose(place, rows[0][0]) if rows else None


def close(place: Place, secret: str) -> bytes:
    """Seal a secret (AES-256-GCM), bound to the answer it stood in."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(place.sealing).encrypt(nonce, secret.encode(), _bound(place))


def unclose(place: Place, box: bytes) -> str | None:
    """None where it was sealed under another key, or for another answer."""
    try:
        return AESGCM(place.sealing).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], _bound(place)).decode()
    except (InvalidTag, ValueError):
        return None


def _bound(place: Place) -> bytes:
    return framed((_LABEL, place.key, place.answer_id.bytes))
