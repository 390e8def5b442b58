"""Passkeys with `webauthn` (py_webauthn), which parses and verifies; what is asked for and what is accepted is decided here."""

import asyncio
from collections.abc import Sequence
from typing import Any

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from adapters.base64url import from_text, to_text
from adapters.macs import mac
from adapters.secrets_store import Purpose, Secrets
from commands.ports import Assertion, Attestation, NewPasskey

ALGORITHMS = (COSEAlgorithmIdentifier.EDDSA, COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256)
TIMEOUT_MS = 300_000
_LABEL = "minos webauthn challenge v1"


class WebAuthn:
    """commands.ports.Passkeys. `rp_id` is what keys are made for, `origins` where people may meet us under it."""

    def __init__(self, secrets: Secrets, *, rp_id: str, origins: Sequence[str], service: str) -> None:
        self._secrets = secrets
        self._rp_id = rp_id
        self._origins = list(origins)
        self._service = service

    def challenge(self, token: str) -> str:
        return to_text(self._challenge(token, self._secrets.of(Purpose.WEBAUTHN).key))

    def creation_options(self, token: str, *, user_handle: bytes, name: str, known: tuple[str, ...]) -> dict[str, Any]:
        return {
            "rp": {"id": self._rp_id, "name": self._service},
            "user": {"id": to_text(user_handle), "name": name, "displayName": name},
            "challenge": self.challenge(token),
            "pubKeyCredParams": [{"type": "public-key", "alg": int(algorithm)} for algorithm in ALGORITHMS],
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
        return await asyncio.to_thread(self._made, attestation, token)

    async def sign_count(self, assertion: Assertion, *, token: str, public_key: str) -> int | None:
        """On the event loop: 0.07 to 0.15 ms of a core, by algorithm, where it was measured."""
        credential = _asserted(assertion)
        key = from_text(public_key)
        if credential is None or key is None:
            return None
        for expected in self._challenges(token):
            try:
                return verify_authentication_response(
                    credential=credential,
                    expected_challenge=expected,
                    expected_rp_id=self._rp_id,
                    expected_origin=self._origins,
                    credential_public_key=key,
                    credential_current_sign_count=0,  # whether it has risen is the domain's to say
                    require_user_verification=True,
                ).new_sign_count
            except (WebAuthnException, ValueError):
                continue
        return None

    def _made(self, attestation: Attestation, token: str) -> NewPasskey | None:
        credential = _attested(attestation)
        if credential is None:
            return None
        for expected in self._challenges(token):
            try:
                verified = verify_registration_response(
                    credential=credential,
                    expected_challenge=expected,
                    expected_rp_id=self._rp_id,
                    expected_origin=self._origins,
                    require_user_verification=True,
                    supported_pub_key_algs=list(ALGORITHMS),
                )
                decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
            except Exception:  # noqa: BLE001, S112 - five formats of strangers' bytes: whatever their parsers raise, it is no key
                continue
            return NewPasskey(
                credential_id=to_text(verified.credential_id),
                public_key=to_text(verified.credential_public_key),
                sign_count=verified.sign_count,
            )
        return None

    def _challenges(self, token: str) -> list[bytes]:
        """Under every key still in use: one may have turned since the challenge was given."""
        return [self._challenge(token, key) for key in self._secrets.of(Purpose.WEBAUTHN).keys.values()]

    @staticmethod
    def _challenge(token: str, key: bytes) -> bytes:
        return mac(key, _LABEL, token)


def _asserted(assertion: Assertion) -> AuthenticationCredential | None:
    answer = assertion.response
    raw_id, client_data = from_text(assertion.raw_id), from_text(answer.client_data)
    data, signature = from_text(answer.authenticator_data), from_text(answer.signature)
    if raw_id is None or client_data is None or data is None or signature is None:
        return None
    response = AuthenticatorAssertionResponse(client_data_json=client_data, authenticator_data=data, signature=signature)
    return AuthenticationCredential(id=assertion.id, raw_id=raw_id, response=response)


def _attested(attestation: Attestation) -> RegistrationCredential | None:
    raw_id, client_data = from_text(attestation.raw_id), from_text(attestation.response.client_data)
    made = from_text(attestation.response.attestation_object)
    if raw_id is None or client_data is None or made is None:
        return None
    response = AuthenticatorAttestationResponse(client_data_json=client_data, attestation_object=made)
    return RegistrationCredential(id=attestation.id, raw_id=raw_id, response=response)
