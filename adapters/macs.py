"""Keyed HMAC-SHA-256, one key per purpose, so that a value made for one is worth nothing for another (threats.md 11)."""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from adapters.framing import framed
from adapters.secrets_store import Purpose, Secrets
from commands.ports import ClaimMac


class KeyedMacs:
    """commands.ports.Macs."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def claim(self, kind: str, normalised: str) -> ClaimMac:
        versions = self._secrets.of(Purpose.CLAIM_INDEX)
        return ClaimMac(versions.current, mac(versions.key, kind, normalised))

    def claim_candidates(self, kind: str, normalised: str) -> Sequence[ClaimMac]:
        keys = self._secrets.of(Purpose.CLAIM_INDEX).keys
        return [ClaimMac(version, mac(key, kind, normalised)) for version, key in keys.items()]

    def login_name(self, normalised: str) -> bytes:
        return mac(self._secrets.of(Purpose.LOGIN_NAME).key, normalised)

    def device(self, device_id: UUID) -> bytes:
        return mac(self._secrets.of(Purpose.DEVICE).key, device_id.bytes)

    def idempotency_key(self, *, principal: str, method: str, route: str, key: str) -> bytes:
        return mac(self._secrets.of(Purpose.IDEMPOTENCY).key, principal, method, route, key)

    def body_digest(self, body: bytes) -> bytes:
        """The caller leaves secret fields out of `body` (threats.md 4)."""
        return mac(self._secrets.of(Purpose.BODY_DIGEST).key, body)


def mac(key: bytes, *parts: str | bytes) -> bytes:
    begun = _begun(key).copy()
    begun.update(framed(parts))
    return begun.digest()


@lru_cache(maxsize=64)
def _begun(key: bytes) -> hmac.HMAC:
    """Prepared once: looking the digest up and mixing in the key is most of a short MAC."""
    return hmac.new(key, digestmod="sha256")
