"""What a passkey shows, parsed and verified with `webauthn` (py_webauthn); what is accepted is decided by whoever asks.

That library takes 6 of the 81 MB that an API process held: only who is shown a passkey loads this module.
"""

from collections.abc import Sequence

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
from commands.ports import Assertion, Attestation, NewPasskey


def new_passkey(
    attestation: Attestation, *, rp_id: str, origins: list[str], challenges: Sequence[bytes], algorithms: Sequence[int]
) -> NewPasskey | None:
    """Give the key an attestation shows for any of the challenges. `algorithms` as COSE numbers them."""
    supported = [COSEAlgorithmIdentifier(algorithm) for algorithm in algorithms]
    credential = _attested(attestation)
    if credential is None:
        return None
    for challenge in challenges:
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=rp_id,
                expected_origin=origins,
                require_user_verification=True,
                supported_pub_key_algs=supported,
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


def sign_count(assertion: Assertion, *, public_key: str, rp_id: str, origins: list[str], challenges: Sequence[bytes]) -> int | None:
    """Give the counter that an assertion for any of the challenges shows, and None for one that is not good.

    0.07 to 0.15 ms of a core, by algorithm, where it was measured.
    """
    credential = _asserted(assertion)
    key = from_text(public_key)
    if credential is None or key is None:
        return None
    for challenge in challenges:
        try:
            return verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=rp_id,
                expected_origin=origins,
                credential_public_key=key,
                credential_current_sign_count=0,  # whether it has risen is the domain's to say
                require_user_verification=True,
            ).new_sign_count
        except (WebAuthnException, ValueError):
            continue
    return None


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
