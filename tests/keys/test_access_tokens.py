"""Access tokens: accepted exactly as they are made, and in no other way (RFC 8725, RFC 9068, threats.md 14)."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from adapters.access_tokens import LEEWAY, LONGEST, AccessTokenVerifier, KeyedMint, header
from adapters.base64url import from_text, to_text
from adapters.jwk import Signer, generate, public_jwk, thumbprint
from adapters.keyring import Keyring
from adapters.memory_store import MemoryEventStore
from adapters.refresh_tokens import DerivedTokens
from adapters.secrets_store import random_secrets
from adapters.signing_secrets import MemorySigningSecrets
from domain import signing_key
from domain.errors import InvalidToken
from domain.signing_key import Algorithm, KeyRevocation, Purpose
from tests.keys.conftest import SettableClock
from tests.keys.signing import active, append, claims, mirrored

ISSUER = "https://id.example.org"
OURS = frozenset({"minos"})


@pytest.fixture
def mint(keyring: Keyring) -> KeyedMint:
    return KeyedMint(keyring, DerivedTokens(random_secrets()), issuer=ISSUER)


@pytest.fixture
def verifier(keyring: Keyring, clock: SettableClock) -> AccessTokenVerifier:
    return AccessTokenVerifier(keyring, issuer=ISSUER, clock=clock.monotonic)


async def refused(verifier: AccessTokenVerifier, token: str, audiences: frozenset[str] = OURS) -> bool:
    try:
        await verifier.verify(token, audiences=audiences)
    except InvalidToken:
        return True
    return False


def parts(token: str) -> list[bytes]:
    return [from_text(part) or b"" for part in token.split(".")]


def with_header(token: str, said: Mapping[str, object]) -> str:
    _, body, signature = token.split(".")
    return f"{to_text(msgspec.json.encode(said))}.{body}.{signature}"


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_what_was_minted_verifies(keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, algorithm: Algorithm) -> None:
    key = await active(keyring, store, algorithm)
    wanted = claims(time.time())
    verifier = AccessTokenVerifier(keyring, issuer=ISSUER)
    read = await verifier.verify(await mint.access_token(wanted), audiences=OURS)
    assert read == msgspec.structs.replace(wanted, kid=key.kid)


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_pyjwt_verifies_what_was_minted_with_the_published_keys(
    keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, algorithm: Algorithm
) -> None:
    await active(keyring, store, algorithm)
    wanted = claims(time.time())
    token = await mint.access_token(wanted)
    keys = jwt.PyJWKSet.from_json((await keyring.key_set()).body.decode())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    read = jwt.decode(
        token, key, algorithms=[algorithm], audience="minos", issuer=ISSUER, options={"require": ["exp", "iat", "nbf", "aud", "iss"]}
    )
    expected = msgspec.to_builtins(wanted) | {"amr": ["pwd"], "roles": ["user"], "iss": ISSUER, "nbf": wanted.iat}
    del expected["kid"]
    assert read == expected


async def test_the_header_says_type_algorithm_and_key_and_no_more(
    keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, clock: SettableClock
) -> None:
    key = await active(keyring, store)
    token = await mint.access_token(claims(clock.monotonic()))
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}


async def test_the_kid_is_no_claim(keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, clock: SettableClock) -> None:
    await active(keyring, store)
    token = await mint.access_token(claims(clock.monotonic()))
    assert "kid" not in msgspec.json.decode(parts(token)[1])


@pytest.fixture
async def token(keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, clock: SettableClock) -> str:
    await active(keyring, store)
    return await mint.access_token(claims(clock.monotonic()))


async def test_attack_alg_none(verifier: AccessTokenVerifier, token: str) -> None:
    kid = jwt.get_unverified_header(token)["kid"]
    for alg in ("none", "None", "NONE", ""):
        stripped = with_header(token, {"alg": alg, "kid": kid, "typ": "at+jwt"})
        assert await refused(verifier, stripped)
        assert await refused(verifier, stripped.rpartition(".")[0] + ".")


async def test_attack_hmac_with_our_public_key(verifier: AccessTokenVerifier, token: str, keyring: Keyring) -> None:
    kid = jwt.get_unverified_header(token)["kid"]
    public = (await keyring.signer()).key.public_key()
    body = token.split(".")[1]
    for secret in (public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (await keyring.key_set()).body):
        head = to_text(msgspec.json.encode({"alg": "HS256", "kid": kid, "typ": "at+jwt"}))
        signature = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
        assert await refused(verifier, f"{head}.{body}.{to_text(signature)}")


@pytest.mark.parametrize("extra", ["jku", "x5u", "jwk", "x5c", "crit", "cty", "b64", "zip", "x5t"])
async def test_attack_a_header_that_brings_its_own_key_or_rules(
    verifier: AccessTokenVerifier, keyring: Keyring, token: str, extra: str
) -> None:
    signer = await keyring.signer()
    said = {"alg": "ES256", "kid": signer.kid, "typ": "at+jwt", extra: ["https://evil.example"]}
    message = to_text(msgspec.json.encode(said)) + "." + token.split(".")[1]
    assert await refused(verifier, f"{message}.{to_text(signer.sign(message.encode()))}")


@pytest.mark.parametrize("purpose", [Purpose.SIGNALS, Purpose.INTERNAL])
async def test_threat_14_a_perfect_access_token_under_the_key_of_another_purpose(
    store: MemoryEventStore, clock: SettableClock, purpose: Purpose
) -> None:
    secrets = MemorySigningSecrets()
    other = Keyring(secrets, store, purpose=purpose, clock=clock.monotonic)
    await active(other, store, purpose=purpose)
    token = await KeyedMint(other, DerivedTokens(random_secrets()), issuer=ISSUER).access_token(claims(clock.monotonic()))
    ours = AccessTokenVerifier(Keyring(secrets, store, clock=clock.monotonic), issuer=ISSUER, clock=clock.monotonic)
    theirs = AccessTokenVerifier(other, issuer=ISSUER, clock=clock.monotonic)
    assert await refused(ours, token)
    assert not await refused(theirs, token)


@pytest.mark.parametrize("typ", ["JWT", "AT+JWT", "application/at+jwt", "secevent+jwt", "action+jwt", "id+jwt", "", None])
async def test_threat_14_one_class_of_token_never_verifies_as_another(
    verifier: AccessTokenVerifier, keyring: Keyring, token: str, typ: str | None
) -> None:
    signer = await keyring.signer()
    message = to_text(msgspec.json.encode({"alg": "ES256", "kid": signer.kid, "typ": typ})) + "." + token.split(".")[1]
    assert await refused(verifier, f"{message}.{to_text(signer.sign(message.encode()))}")


async def test_threat_14_a_correct_token_under_a_key_of_another_purpose_is_refused(verifier: AccessTokenVerifier, token: str) -> None:
    foreign = generate(Algorithm.ES256)
    kid = thumbprint(public_jwk(foreign.public_key()))
    payload = msgspec.json.decode(parts(token)[1])
    assert await refused(verifier, jwt.encode(payload, foreign, "ES256", headers={"kid": kid, "typ": "at+jwt"}))
    known = jwt.get_unverified_header(token)["kid"]
    assert await refused(verifier, jwt.encode(payload, foreign, "ES256", headers={"kid": known, "typ": "at+jwt"}))


async def test_attack_rs256_key_used_as_ps256(
    keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, verifier: AccessTokenVerifier, clock: SettableClock
) -> None:
    key = await active(keyring, store, Algorithm.RS256)
    body = (await mint.access_token(claims(clock.monotonic()))).split(".")[1]
    as_pss = Signer(key.kid, Algorithm.PS256, (await keyring.signer()).key)
    message = header(key.kid, Algorithm.PS256) + b"." + body.encode()
    assert await refused(verifier, f"{message.decode()}.{to_text(as_pss.sign(message))}")


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "epoch", "roles_version", "principal"])
async def test_no_claim_can_be_missing(verifier: AccessTokenVerifier, keyring: Keyring, token: str, claim: str) -> None:
    payload = msgspec.json.decode(parts(token)[1])
    del payload[claim]
    assert await refused(verifier, await signed(keyring, payload))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://evil.example"),
        ("iss", ISSUER + "/"),
        ("aud", "tasks"),
        ("aud", ["minos"]),
        ("aud", "MINOS"),
        ("exp", "never"),
        ("exp", 1e300),
        ("exp", None),
        ("roles", "admin"),
        ("epoch", "1"),
    ],
)
async def test_a_claim_of_another_value_or_type_is_refused(
    verifier: AccessTokenVerifier, keyring: Keyring, token: str, claim: str, value: object
) -> None:
    payload = msgspec.json.decode(parts(token)[1])
    assert await refused(verifier, await signed(keyring, {**payload, claim: value}))
    assert not await refused(verifier, await signed(keyring, payload))


async def signed(keyring: Keyring, payload: Mapping[str, object]) -> str:
    """What only the holder of our private key could make."""
    signer = await keyring.signer()
    message = header(signer.kid, signer.algorithm) + b"." + to_text(msgspec.json.encode(payload)).encode()
    return f"{message.decode()}.{to_text(signer.sign(message))}"


async def test_a_token_for_another_audience_is_refused_even_when_seen_before(
    keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, verifier: AccessTokenVerifier, clock: SettableClock
) -> None:
    await active(keyring, store)
    token = await mint.access_token(claims(clock.monotonic(), aud="tasks"))
    await verifier.verify(token, audiences={"minos", "tasks"})
    assert await refused(verifier, token)


async def test_a_token_is_refused_once_expired_even_when_seen_before(
    verifier: AccessTokenVerifier, token: str, clock: SettableClock
) -> None:
    await verifier.verify(token, audiences=OURS)
    clock.pass_by(300 + LEEWAY - 1)
    assert not await refused(verifier, token)
    clock.pass_by(1)
    assert await refused(verifier, token)


async def test_a_token_from_the_future_is_refused_past_the_leeway(verifier: AccessTokenVerifier, token: str, clock: SettableClock) -> None:
    clock.pass_by(-LEEWAY)
    assert not await refused(verifier, token)
    clock.pass_by(-1)
    assert await refused(verifier, token)


async def test_a_token_whose_key_was_revoked_is_refused_even_when_seen_before(
    keyring: Keyring, store: MemoryEventStore, mint: KeyedMint, verifier: AccessTokenVerifier, clock: SettableClock
) -> None:
    key = await active(keyring, store)
    token = await mint.access_token(claims(clock.monotonic()))
    await verifier.verify(token, audiences=OURS)
    await append(store, key, lambda s: signing_key.revoke(s, reason=KeyRevocation.COMPROMISED, at=clock()))
    await keyring.refresh()
    assert await refused(verifier, token)
    assert await refused(verifier, token)


async def test_no_byte_of_a_token_can_be_changed(verifier: AccessTokenVerifier, token: str) -> None:
    await verifier.verify(token, audiences=OURS)
    for place, letter in enumerate(token):
        for other in {"A", "B", ".", "-", "=", " "} - {letter}:
            assert await refused(verifier, token[:place] + other + token[place + 1 :]), place


@pytest.mark.parametrize("change", ["{} ", " {}", "{}=", "{}\n", "{}.", "{}.x", ".{}", "{}A"])
async def test_a_token_has_one_spelling(verifier: AccessTokenVerifier, token: str, change: str) -> None:
    assert await refused(verifier, change.format(token))


async def test_a_token_has_one_signature(verifier: AccessTokenVerifier, token: str) -> None:
    message, _, tail = token.rpartition(".")
    assert await refused(verifier, f"{message}.{to_text(mirrored(from_text(tail) or b''))}")
    assert not await refused(verifier, token)


async def test_deep_and_broken_json_is_refused_like_all_else(verifier: AccessTokenVerifier, keyring: Keyring, token: str) -> None:
    signer = await keyring.signer()
    for raw in (b"[" * 4_000, b'{"a":' * 1_000, b"\xff\xfe", b'{"sub":"\xff"}', b"", b"null"):
        message = header(signer.kid, signer.algorithm).decode() + "." + to_text(raw)
        assert await refused(verifier, f"{message}.{to_text(signer.sign(message.encode()))}")
        assert await refused(verifier, f"{to_text(raw)}.{token.partition('.')[2]}")


async def test_a_header_that_says_the_same_in_other_bytes_is_refused(verifier: AccessTokenVerifier, keyring: Keyring, token: str) -> None:
    signer = await keyring.signer()
    body = token.split(".")[1]
    for said in (
        f'{{"typ":"at+jwt","alg":"ES256","kid":"{signer.kid}"}}',
        f'{{"alg": "ES256", "kid": "{signer.kid}", "typ": "at+jwt"}}',
        f'{{"alg":"ES256","kid":"x","kid":"{signer.kid}","typ":"at+jwt"}}',
    ):
        message = to_text(said.encode()) + "." + body
        assert await refused(verifier, f"{message}.{to_text(signer.sign(message.encode()))}")


async def test_an_oversized_token_is_refused_before_any_work(verifier: AccessTokenVerifier, token: str) -> None:
    assert await refused(verifier, token + "A" * LONGEST)


async def test_tokens_are_remembered_by_digest_only(verifier: AccessTokenVerifier, token: str) -> None:
    await verifier.verify(token, audiences=OURS)
    assert list(verifier._seen._entries) == [sha256(token.encode()).digest()]


@given(st.text(max_size=200))
async def test_no_text_at_all_is_anything_but_refused(text: str) -> None:
    keyring = Keyring(MemorySigningSecrets(), MemoryEventStore())
    assert await refused(AccessTokenVerifier(keyring, issuer=ISSUER), text)


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=70))
async def test_nothing_of_a_tokens_shape_is_anything_but_refused(head: bytes, body: bytes, signature: bytes) -> None:
    keyring = Keyring(MemorySigningSecrets(), MemoryEventStore())
    token = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (head, body, signature)).decode()
    assert await refused(AccessTokenVerifier(keyring, issuer=ISSUER), token)
