"""Keyed HMAC-SHA-256, one key per purpose, so that a value made for one is worth nothing for another (threats.md 11)."""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from adapters.base64url import to_text
from adapters.framing import framed
from adapters.secrets_store import Purpose, Secrets
from commands.ports import ClaimMac, SecretKind, SecretMac
from domain.ids import Digest


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

    def sign_in_fact(self, name_mac: bytes, kind: str, text: str) -> bytes:
        return mac(self._secrets.of(Purpose.SIGN_IN_FACT).key, name_mac, kind, text)

    def idempotency_key(self, *, principal: str, method: str, route: str, key: str) -> bytes:
        return mac(self._secrets.of(Purpose.IDEMPOTENCY).key, principal, method, route, key)

    def sealing_key(self, *, principal: str, method: str, route: str, key: str) -> bytes:
        return mac(self._secrets.of(Purpose.SHOWN_SECRET).key, principal, method, route, key)

    def body_digest(self, body: bytes) -> bytes:
        """The caller leaves secret fields out of `body` (threats.md 4)."""
        return mac(self._secrets.of(Purpose.BODY_DIGEST).key, body)

    def secret(self, kind: SecretKind, name: str, secret: str) -> SecretMac:
        versions = self._secrets.of(_PURPOSES[kind])
        return SecretMac(digest=_secret_digest(versions.key, name, secret), key_version=versions.current)

    def secret_matches(self, kind: SecretKind, name: str, secret: str, *, digest: Digest, key_version: int) -> bool:
        versions = self._secrets.of(_PURPOSES[kind])
        known = key_version in versions.keys
        expected = _secret_digest(versions.keys[key_version] if known else versions.key, name, secret)
        return hmac.compare_digest(expected, digest) and known


_PURPOSES = {SecretKind.CLIENT_SECRET: Purpose.CLIENT_SECRET, SecretKind.API_KEY: Purpose.API_KEY}


def _secret_digest(key: bytes, name: str, secret: str) -> Digest:
    return Digest(to_text(mac(key, name, secret)))


def mac(key: bytes, *parts: str | bytes) -> bytes:
    begun = _begun(key).copy()
    begun.update(framed(parts))
    return begun.digest()


@lru_cache(maxsize=64)
def _begun(key: bytes) -> hmac.HMAC:
    """Prepared once: looking the digest up and mixing in the key is most of a short MAC."""
    return hmac.new(key, digestmod="sha256")
