"""Signing keys as JWKs: making them, naming them, signing and verifying with them (RFC 7517, 7518, 7638, 8037)."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import assert_never

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from adapters.base64url import from_text, to_text
from domain.ids import Kid
from domain.signing_key import Algorithm, Base64Url, Curve, KeyType, PublicJwk

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_BITS = 3_072
_P256_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA = ec.ECDSA(SHA256())
_ECDSA_OF_DIGEST = ec.ECDSA(Prehashed(SHA256()))
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)


class UnfitKey(Exception):
    """A stored key is not of the kind its algorithm needs."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the one algorithm it is used with."""

    kid: Kid
    algorithm: Algorithm
    key: PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Give a JWS signature (RFC 7518 3); of the two an ES256 signature could be, the one with the low `s`. Raises UnfitKey."""
        match self.algorithm, self.key:
            case Algorithm.ES256, ec.EllipticCurvePrivateKey() as key:
                return _low(key.sign(message, _ECDSA))
            case Algorithm.RS256, rsa.RSAPrivateKey() as key:
                return key.sign(message, _PKCS1, SHA256())
            case Algorithm.PS256, rsa.RSAPrivateKey() as key:
                return key.sign(message, _PSS, SHA256())
            case Algorithm.EDDSA, ed25519.Ed25519PrivateKey() as key:
                return key.sign(message)
            case _:
                raise UnfitKey(f"{self.kid} does not sign {self.algorithm}")

    def sign_digest(self, digest: bytes) -> bytes:
        """As `sign`, of a message too long to be held in one piece: its SHA-256. Raises UnfitKey for a key that is not of ES256."""
        if self.algorithm is not Algorithm.ES256 or not isinstance(self.key, ec.EllipticCurvePrivateKey):
            raise UnfitKey(f"{self.kid} signs no digests")
        return _low(self.key.sign(digest, _ECDSA_OF_DIGEST))


def _low(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(_P256_BYTES, "big") + min(s, _P256_ORDER - s).to_bytes(_P256_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the one algorithm it is used with: a token's own `alg` chooses nothing (RFC 8725 3.1)."""

    kid: Kid
    algorithm: Algorithm
    key: PublicKey
    low_s: bool = True
    """Whether an ES256 signature has to be the one we would make, of the two that it could be."""

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """An ES256 signature with a high `s` is refused: anybody could make it from ours, and it is not what we made. Raises UnfitKey."""
        try:
            self._verify(message, signature)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _verify(self, message: bytes, signature: bytes) -> None:
        match self.algorithm, self.key:
            case Algorithm.ES256, ec.EllipticCurvePublicKey() as key:
                if len(signature) != 2 * _P256_BYTES:
                    raise InvalidSignature
                r, s = (int.from_bytes(half, "big") for half in (signature[:_P256_BYTES], signature[_P256_BYTES:]))
                if self.low_s and s > _P256_ORDER // 2:
                    raise InvalidSignature
                key.verify(encode_dss_signature(r, s), message, _ECDSA)
            case Algorithm.RS256, rsa.RSAPublicKey() as key:
                key.verify(signature, message, _PKCS1, SHA256())
            case Algorithm.PS256, rsa.RSAPublicKey() as key:
                key.verify(signature, message, _PSS, SHA256())
            case Algorithm.EDDSA, ed25519.Ed25519PublicKey() as key:
                key.verify(signature, message)
            case _:
                raise UnfitKey(f"{self.kid} does not verify {self.algorithm}")


def generate(algorithm: Algorithm) -> PrivateKey:
    """Make a key. An RSA key takes a large part of a second: call this off the event loop."""
    match algorithm:
        case Algorithm.ES256:
            return ec.generate_private_key(ec.SECP256R1())
        case Algorithm.RS256 | Algorithm.PS256:
            return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
        case Algorithm.EDDSA:
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            assert_never(algorithm)


def to_der(key: PrivateKey) -> bytes:
    """PKCS #8, unencrypted: wrap it before it goes anywhere."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def from_der(der: bytes) -> PrivateKey:
    """Raises UnfitKey."""
    key = load_der_private_key(der, None)
    if not isinstance(key, PrivateKey):
        raise UnfitKey("a stored private key is of a kind that is not used here")
    return key


def public_jwk(key: PublicKey) -> PublicJwk:
    match key:
        case ec.EllipticCurvePublicKey():
            point = key.public_numbers()
            return PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=_number(point.x, _P256_BYTES), y=_number(point.y, _P256_BYTES))
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return PublicJwk(kty=KeyType.RSA, n=_number(numbers.n), e=_number(numbers.e))
        case ed25519.Ed25519PublicKey():
            return PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=Base64Url(to_text(key.public_bytes_raw())))
        case _:
            assert_never(key)


def public_key(jwk: PublicJwk) -> PublicKey:
    """Raises UnfitKey for members that are missing or no key at all."""
    try:
        match jwk:
            case PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=str(x), y=str(y)):
                return ec.EllipticCurvePublicNumbers(_integer(x), _integer(y), ec.SECP256R1()).public_key()
            case PublicJwk(kty=KeyType.RSA, n=str(n), e=str(e)):
                return rsa.RSAPublicNumbers(_integer(e), _integer(n)).public_key()
            case PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=str(x)):
                return ed25519.Ed25519PublicKey.from_public_bytes(_octets(x))
            case _:
                raise UnfitKey("a public key lacks members")
    except ValueError as bad:
        raise UnfitKey("a public key is none") from bad


def thumbprint(jwk: PublicJwk) -> Kid:
    """RFC 7638: SHA-256 over the required members alone, names sorted, no spaces. PublicJwk holds no others."""
    return Kid(to_text(sha256(msgspec.json.encode(jwk, order="sorted")).digest()))


def _number(number: int, length: int | None = None) -> Base64Url:
    return Base64Url(to_text(number.to_bytes(length or (number.bit_length() + 7) // 8, "big")))


def _octets(text: str) -> bytes:
    raw = from_text(text)
    if raw is None:
        raise UnfitKey("a public key is not base64url")
    return raw


def _integer(text: str) -> int:
    return int.from_bytes(_octets(text), "big")
