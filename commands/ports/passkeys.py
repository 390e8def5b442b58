"""Passkeys (WebAuthn Level 3) as commands see them: what browsers send, and what becomes of it once it was verified."""

from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from msgspec import Meta, Struct, field

Base64Url = Annotated[str, Meta(max_length=8_192, pattern=r"^[A-Za-z0-9_-]*$(?!\n)", description="Base64url, without padding.")]
CredentialId = Annotated[str, Meta(min_length=1, max_length=1_364, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]


class AssertionResponse(Struct, frozen=True, kw_only=True):
    client_data: Base64Url = field(name="clientDataJSON")
    authenticator_data: Base64Url = field(name="authenticatorData")
    signature: Base64Url
    user_handle: Base64Url | None = field(name="userHandle", default=None)


class Assertion(Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.get()` gives, as its `toJSON()` writes it. Members that nothing is decided on are passed over."""

    id: CredentialId
    raw_id: CredentialId = field(name="rawId")
    type: Literal["public-key"]
    response: AssertionResponse


class AttestationResponse(Struct, frozen=True, kw_only=True):
    client_data: Base64Url = field(name="clientDataJSON")
    attestation_object: Base64Url = field(name="attestationObject")


class Attestation(Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.create()` gives, as its `toJSON()` writes it."""

    id: CredentialId
    raw_id: CredentialId = field(name="rawId")
    type: Literal["public-key"]
    response: AttestationResponse


class NewPasskey(Struct, frozen=True, kw_only=True):
    """A key that was made for us by an authenticator that made sure of its user. In base64url."""

    credential_id: str
    public_key: str
    sign_count: int


@runtime_checkable
class Passkeys(Protocol):
    """Verifies what authenticators made. Origin, relying party, challenge and the user's verification are part of it."""

    def challenge(self, token: str) -> str:
        """Derive what is to be signed from the sealed challenge that its caller carries: nothing is stored."""
        ...

    def creation_options(self, token: str, *, user_handle: bytes, name: str, known: tuple[str, ...]) -> dict[str, Any]:
        """For `navigator.credentials.create()`: a key that is found without a name, of a user who is verified."""
        ...

    def request_options(self, token: str) -> dict[str, Any]:
        """For `navigator.credentials.get()`."""
        ...

    async def made(self, attestation: Attestation, *, token: str) -> NewPasskey | None:
        """Verify a new key. None for one that is not for us, not for this challenge, or not of a verified user."""
        ...

    async def sign_count(self, assertion: Assertion, *, token: str, public_key: str) -> int | None:
        """Verify a signature, and give the authenticator's counter. None for one that does not hold."""
        ...
