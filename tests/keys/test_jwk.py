"""JWKs against published vectors, and the algorithms against one another."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.jwk import Signer, UnfitKey, Verifier, from_der, generate, public_jwk, public_key, thumbprint, to_der
from domain.ids import Kid
from domain.signing_key import Algorithm, Base64Url, Curve, KeyType, PublicJwk
from tests.keys.signing import P256_ORDER, mirrored

KEYS = {algorithm: generate(algorithm) for algorithm in Algorithm}
KID = Kid("k" * 43)


def test_thumbprint_of_rfc_7638_3_1() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-"
        "5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
        "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = PublicJwk(kty=KeyType.RSA, n=Base64Url(modulus), e=Base64Url("AQAB"))
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_thumbprint_of_rfc_8037_a_3() -> None:
    jwk = PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=Base64Url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_public_key_survives_being_written_as_a_jwk(algorithm: Algorithm) -> None:
    jwk = public_jwk(KEYS[algorithm].public_key())
    assert public_jwk(public_key(jwk)) == jwk


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_private_key_survives_being_kept(algorithm: Algorithm) -> None:
    again = from_der(to_der(KEYS[algorithm]))
    signature = Signer(KID, algorithm, again).sign(b"message")
    assert Verifier(KID, algorithm, KEYS[algorithm].public_key()).accepts(b"message", signature)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@settings(max_examples=20)
@given(message=st.binary(max_size=64), flip=st.integers(0, 10_000))
def test_one_bit_of_message_or_signature_breaks_it(algorithm: Algorithm, message: bytes, flip: int) -> None:
    signature = bytearray(Signer(KID, algorithm, KEYS[algorithm]).sign(message))
    verifier = Verifier(KID, algorithm, KEYS[algorithm].public_key())
    assert verifier.accepts(message, bytes(signature))
    assert not verifier.accepts(message + b"x", bytes(signature))
    signature[flip % len(signature)] ^= 1
    assert not verifier.accepts(message, bytes(signature))


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\0" * 65, b"\0" * 384])
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_no_made_up_signature_is_accepted(algorithm: Algorithm, signature: bytes) -> None:
    assert not Verifier(KID, algorithm, KEYS[algorithm].public_key()).accepts(b"message", signature)


def test_an_es256_signature_has_one_spelling() -> None:
    public = KEYS[Algorithm.ES256].public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signer, verifier = Signer(KID, Algorithm.ES256, KEYS[Algorithm.ES256]), Verifier(KID, Algorithm.ES256, public)
    for n in range(64):
        message = str(n).encode()
        signature = signer.sign(message)
        assert verifier.accepts(message, signature)
        assert int.from_bytes(signature[32:], "big") <= P256_ORDER // 2
        # The mirrored one holds by the standard, and is refused all the same.
        other = mirrored(signature)
        r, s = (int.from_bytes(half, "big") for half in (other[:32], other[32:]))
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        assert not verifier.accepts(message, other)


def test_a_long_message_is_signed_by_its_digest_alike() -> None:
    message = b"x" * 1_000_000
    signer = Signer(KID, Algorithm.ES256, KEYS[Algorithm.ES256])
    verifier = Verifier(KID, Algorithm.ES256, KEYS[Algorithm.ES256].public_key())
    for _ in range(8):  # of which half would have the high `s`
        assert verifier.accepts(message, signer.sign_digest(sha256(message).digest()))
    with pytest.raises(UnfitKey):
        Signer(KID, Algorithm.EDDSA, KEYS[Algorithm.EDDSA]).sign_digest(sha256(message).digest())


def test_a_key_is_used_with_no_algorithm_but_its_own() -> None:
    with pytest.raises(UnfitKey):
        Signer(KID, Algorithm.ES256, KEYS[Algorithm.RS256]).sign(b"message")
    with pytest.raises(UnfitKey):
        Verifier(KID, Algorithm.EDDSA, KEYS[Algorithm.ES256].public_key()).accepts(b"message", b"\0" * 64)


def test_rs256_and_ps256_signatures_are_not_taken_for_one_another() -> None:
    key = KEYS[Algorithm.RS256]
    signature = Signer(KID, Algorithm.RS256, key).sign(b"message")
    assert not Verifier(KID, Algorithm.PS256, key.public_key()).accepts(b"message", signature)


@pytest.mark.parametrize(
    "jwk",
    [
        PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=Base64Url("AA"), y=Base64Url("AA")),
        PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=Base64Url("AA")),
        PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=Base64Url("AA")),
        PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=Base64Url("AB")),
        PublicJwk(kty=KeyType.RSA, n=Base64Url("AA"), e=Base64Url("AA")),
    ],
)
def test_a_jwk_that_is_no_key_is_refused(jwk: PublicJwk) -> None:
    with pytest.raises(UnfitKey):
        public_key(jwk)
