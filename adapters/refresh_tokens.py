"""Refresh and device tokens: derived, not stored, so that a copy of the database gives none of them away (threats.md 1)."""

import re
from hmac import compare_digest
from uuid import UUID

from adapters.base64url import from_text, to_text
from adapters.macs import mac
from adapters.quick_uuid import QuickUuid
from adapters.secrets_store import Purpose, Secrets
from commands.ports import PresentedDevice, PresentedRefreshToken
from domain.ids import SessionId

_REFRESH_LABEL = "minos refresh token v1"
_DEVICE_LABEL = "minos device token v1"
_NUMBER = r"(0|[1-9][0-9]{0,8})"
_REFRESH = re.compile(
    rf"mrt_([0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}})\.{_NUMBER}\.{_NUMBER}\.([A-Za-z0-9_-]{{43}})",
    re.ASCII,
)
_DEVICE = re.compile(r"mdv_([A-Za-z0-9_-]{99})", re.ASCII)
_MAC_BYTES = 32


class DerivedTokens:
    """The half of commands.ports.TokenMint that needs no signature. Comparisons take the same time wherever they fail."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @property
    def refresh_key_version(self) -> int:
        return self._secrets.of(Purpose.REFRESH).current

    def refresh_token(self, *, session_id: SessionId, generation: int, key_version: int, seed: bytes) -> str:
        """Raises KeyError for a key version that is not in the vault."""
        secret = self._refresh_secret(session_id, generation, key_version, seed)
        return f"mrt_{session_id}.{generation}.{key_version}.{to_text(secret)}"

    def read_refresh_token(self, token: str) -> PresentedRefreshToken | None:
        shape = _REFRESH.fullmatch(token)
        secret = None if shape is None else from_text(shape[4])
        if shape is None or secret is None:
            return None
        return PresentedRefreshToken(
            session_id=SessionId(QuickUuid(shape[1])), generation=int(shape[2]), key_version=int(shape[3]), secret=secret
        )

    def refresh_token_is_genuine(self, presented: PresentedRefreshToken, *, seed: bytes) -> bool:
        known = presented.key_version in self._secrets.of(Purpose.REFRESH).keys
        version = presented.key_version if known else self.refresh_key_version
        expected = self._refresh_secret(presented.session_id, presented.generation, version, seed)
        return compare_digest(expected, presented.secret) and known

    def device_token(self, *, user_id: UUID, epoch: int, device_id: UUID) -> str:
        version = self._secrets.of(Purpose.DEVICE_TOKEN).current
        body = version.to_bytes(2, "big") + user_id.bytes + epoch.to_bytes(8, "big") + device_id.bytes
        return f"mdv_{to_text(body + self._device_mac(version, body))}"

    def read_device_token(self, token: str) -> PresentedDevice | None:
        shape = _DEVICE.fullmatch(token)
        raw = None if shape is None else from_text(shape[1])
        if raw is None:
            return None
        body, presented = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        version = int.from_bytes(body[:2], "big")
        if version not in self._secrets.of(Purpose.DEVICE_TOKEN).keys or not compare_digest(self._device_mac(version, body), presented):
            return None
        return PresentedDevice(user_id=UUID(bytes=body[2:18]), epoch=int.from_bytes(body[18:26], "big"), device_id=UUID(bytes=body[26:42]))

    def _refresh_secret(self, session_id: SessionId, generation: int, version: int, seed: bytes) -> bytes:
        key = self._secrets.of(Purpose.REFRESH).keys[version]
        return mac(key, _REFRESH_LABEL, session_id.bytes, generation.to_bytes(8, "big"), seed)

    def _device_mac(self, version: int, body: bytes) -> bytes:
        return mac(self._secrets.of(Purpose.DEVICE_TOKEN).keys[version], _DEVICE_LABEL, body)
