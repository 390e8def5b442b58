"""Passkeys: what is asked for and what is accepted is decided here; `adapters.passkey_proofs` verifies it with `webauthn`."""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from adapters.base64url import to_text
from adapters.macs import mac
from adapters.secrets_store import Purpose, Secrets
from commands.ports import Assertion, Attestation, NewPasskey

_EDDSA, _ES256, _RS256 = -8, -7, -257
ALGORITHMS = (_EDDSA, _ES256, _RS256)
"""As COSE numbers them (RFC 9053 2, RFC 8812 2), what we would rather have first."""
TIMEOUT_MS = 300_000
_LABEL = "minos webauthn challenge v1"
_PROOFS = "adapters.passkey_proofs"


class WebAuthn:
    """commands.ports.Passkeys. `rp_id` is what keys are made for, `origins` where people may meet us under it."""

    def __init__(self, secrets: Secrets, *, rp_id: str, origins: Sequence[str], service: str) -> None:
        self._secrets = secrets
        self._rp_id = rp_id
        self._origins = list(origins)
        self._service = service
        self._loaded = False

    def challenge(self, token: str) -> str:
        return to_text(self._challenge(token, self._secrets.of(Purpose.WEBAUTHN).key))

    def creation_options(self, token: str, *, user_handle: bytes, name: str, known: tuple[str, ...]) -> dict[str, Any]:
        return {
            "rp": {"id": self._rp_id, "name": self._service},
            "user": {"id": to_text(user_handle), "name": name, "displayName": name},
            "challenge": self.challenge(token),
            "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
            "timeout": TIMEOUT_MS,
            "excludeCredentials": [{"type": "public-key", "id": each} for each in known],
            "authenticatorSelection": {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"},
            "attestation": "none",
        }

    def request_options(self, token: str) -> dict[str, Any]:
        return {
            "challenge": self.challenge(token),
            "timeout": TIMEOUT_MS,
            "rpId": self._rp_id,
            "allowCredentials": [],
            "userVerification": "required",
        }

    async def made(self, attestation: Attestation, *, token: str) -> NewPasskey | None:
        """In a thread: an attestation may bring certificates along, which take a while to look at."""
        await self._load()
        from adapters.passkey_proofs import new_passkey

        return await asyncio.to_thread(
            new_passkey,
            attestation,
            rp_id=self._rp_id,
            origins=self._origins,
            challenges=self._challenges(token),
            algorithms=ALGORITHMS,
        )

    async def sign_count(self, assertion: Assertion, *, token: str, public_key: str) -> int | None:
        await self._load()
        from adapters.passkey_proofs import sign_count

        return sign_count(assertion, public_key=public_key, rp_id=self._rp_id, origins=self._origins, challenges=self._challenges(token))

    async def _load(self) -> None:
        """Have what verifies, in a thread: the loop would stand still for a tenth of a second. Who is shown no passkey never holds it."""
        if not self._loaded:
            await asyncio.to_thread(import_module, _PROOFS)
            self._loaded = True

    def _challenges(self, token: str) -> list[bytes]:
        """Under every key still in use: one may have turned since the challenge was given."""
        return [self._challenge(token, key) for key in self._secrets.of(Purpose.WEBAUTHN).keys.values()]

    @staticmethod
    def _challenge(token: str, key: bytes) -> bytes:
        return mac(key, _LABEL, token)
