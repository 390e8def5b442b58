"""An authenticator in software (WebAuthn Level 3, 6): makes passkeys and signs with them, truthfully or as it is told to lie."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from adapters.base64url import from_text, to_text

UP, UV, AT = 0x01, 0x04, 0x40


class EcKey:
    """ES256 on P-256."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def public(self) -> dict[int, Any]:
        numbers = self._key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(SHA256()))


class EdKey:
    """EdDSA on Ed25519."""

    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()

    def public(self) -> dict[int, Any]:
        return {1: 1, 3: -8, -1: 6, -2: self._key.public_key().public_bytes_raw()}

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class RsaKey:
    """RS256 of 2,048 bits."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65_537, 2_048)

    def public(self) -> dict[int, Any]:
        numbers = self._key.public_key().public_numbers()
        return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), SHA256())


@dataclass
class SoftwareKey:
    """One passkey. `counts`: whether it counts its signatures, as keys that are synchronised between devices do not."""

    origin: str
    key: Any = field(default_factory=EcKey)
    counts: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: bytes = b""
    count: int = 0

    def make(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.create()`."""
        self.user_handle = from_text(options["user"]["id"]) or b""
        client = self._client_data("webauthn.create", options["challenge"], lies)
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(self.key.public())
        data = self._data(options["rp"]["id"], lies, flags=AT) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": to_text(client), "attestationObject": to_text(made), "transports": ["internal"]}
        return self._credential(response)

    def sign(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.get()`. Lies: `origin`, `rp_id`, `challenge`, `flags`, `count`, `type`, `user_handle`."""
        client = self._client_data("webauthn.get", options["challenge"], lies)
        data = self._data(options["rpId"], lies)
        response = {
            "clientDataJSON": to_text(client),
            "authenticatorData": to_text(data),
            "signature": to_text(self.key.sign(data + sha256(client).digest())),
            "userHandle": to_text(lies.get("user_handle", self.user_handle)),
        }
        return self._credential(response)

    def _client_data(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        said = {
            "type": lies.get("type", kind),
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(said).encode()

    def _data(self, rp_id: str, lies: dict[str, Any], *, flags: int = 0) -> bytes:
        if self.counts:
            self.count += 1
        count = lies.get("count", self.count)
        shown = lies.get("flags", UP | UV) | flags
        return sha256(str(lies.get("rp_id", rp_id)).encode()).digest() + bytes([shown]) + int(count).to_bytes(4, "big")

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = to_text(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
