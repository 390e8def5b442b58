"""Tokens as attackers write them."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from minos_sdk.conformance.making.world import EVERYBODY, NOW, World, case, refuses, written
from minos_sdk.jws import from_base64url, to_base64url


def forged(w: World) -> Iterator[dict[str, Any]]:
    for name, token in [*_algorithms(w), *_types(w), *_headers(w), *_signatures(w), *_spellings(w)]:
        yield case(name, refuses(token), applies=EVERYBODY)


def _algorithms(w: World) -> Iterator[tuple[str, str]]:
    claims = w.tokens.user_claims()
    for alg in ("none", "None", "nOnE", "NONE", ""):
        unsigned = w.access.signed(claims, typ="at+jwt", alg=alg)
        yield f"algorithm {alg!r} and no signature", unsigned.rpartition(".")[0] + "."
        yield f"algorithm {alg!r} and a signature", unsigned
    numbers = w.access.public_jwk()
    public = w.access.private.public_key()
    secrets = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(numbers, separators=(",", ":")).encode(),
        "x coordinate": from_base64url(numbers["x"]),
        "empty": b"",
    }
    for what, secret in secrets.items():
        message = w.access.signed(claims, typ="at+jwt", alg="HS256").rpartition(".")[0]
        yield f"HMAC with the public key as the secret: {what}", f"{message}.{to_base64url(hmac.digest(secret, message.encode(), sha256))}"
    for key, alg in ((w.access, "RS256"), (w.access, "EdDSA"), (w.access, "ES384"), (w.rsa, "PS256"), (w.pss, "RS256"), (w.eddsa, "ES256")):
        yield f"a key of {key.alg} and a header of {alg}", key.signed(claims, typ="at+jwt", alg=alg)
    yield "a signature of RS256 under a key for PS256", w.rsa.signed(claims, typ="at+jwt", alg="PS256", kid=w.pss.kid)
    yield "an algorithm that is a number", w.access.signed(claims, typ="at+jwt", alg=256)
    yield "no algorithm", w.access.signed(claims, typ="at+jwt", alg=None)


def _types(w: World) -> Iterator[tuple[str, str]]:
    claims = w.tokens.user_claims()
    for typ in (
        "JWT",
        "AT+JWT",
        "application/at+jwt",
        "at+jwt ",
        "",
        "secevent+jwt",
        "minos-internal+jwt",
        "minos-snapshot+jwt",
        "dpop+jwt",
    ):
        yield f"type {typ!r} under a key for access tokens", w.access.signed(claims, typ=typ)
    yield "no type", written(json.dumps({"alg": "ES256", "kid": w.access.kid}), json.dumps(claims), w.access)
    yield "a correct access token under the key for signals", w.signals_key.signed(claims, typ="at+jwt")
    yield "a correct access token under the key for gateways", w.internal_key.signed(claims, typ="at+jwt")
    yield "a signal shown as a token", w.signals.signal({"kind": "session", "id": "s", "until": NOW + 60}, count=1)
    yield "a snapshot shown as a token", w.signals.snapshot([], counts={"access": 0})
    yield "what a gateway hands on shown as a token", w.tokens.internal()


def _headers(w: World) -> Iterator[tuple[str, str]]:
    claims, evil = w.tokens.user_claims(), "https://evil.example/keys"
    for name, value in (
        ("jku", evil), ("x5u", evil), ("x5c", ["MIIB"]), ("x5t", "AA"), ("crit", ["exp"]), ("crit", []), ("b64", False), ("zip", "DEF"),
        ("cty", "JWT"), ("nonce", "n"),
    ):  # fmt: skip
        yield f"a header with {name} {json.dumps(value)}", w.access.signed(claims, typ="at+jwt", **{name: value})
    own = w.stranger.public_jwk()
    yield "a header that brings its own key", w.stranger.signed(claims, typ="at+jwt", jwk=own)
    yield "a header that brings its own key under a known name", w.stranger.signed(claims, typ="at+jwt", jwk=own, kid=w.access.kid)
    yield "a known key's name in a list", w.access.signed(claims, typ="at+jwt", kid=[w.access.kid])
    yield "an unknown key", w.stranger.signed(claims, typ="at+jwt")
    yield "an unknown key under a known name", w.stranger.signed(claims, typ="at+jwt", kid=w.access.kid)
    names: tuple[Any, ...] = ("", "../../etc/passwd", "' OR 1=1 --", "x" * 4_000, None, 7, [])
    for kid in names:
        yield f"key name {str(kid)[:20]!r}", w.access.signed(claims, typ="at+jwt", kid=kid)
    body = json.dumps(claims)
    twice = f'{{"alg":"none","alg":"ES256","kid":"{w.access.kid}","typ":"at+jwt"}}'
    yield "a header that says its algorithm twice", written(twice, body, w.access)
    for what, header in (("a list", "[]"), ("a text", '"ES256"'), ("nothing", ""), ("null", "null"), ("no JSON", "{alg}")):
        yield f"a header that is {what}", written(header, body, w.access)
    yield "a header that is not UTF-8", written(b'{"alg":"ES256","kid":"\xff","typ":"at+jwt"}', body, w.access)
    yield "a header nested without end", written('{"alg":' + "[" * 1_500 + "]" * 1_500 + "}", body, w.access)


def _signatures(w: World) -> Iterator[tuple[str, str]]:
    token = w.tokens.user()
    message, _, signature = token.rpartition(".")
    raw = bytearray(from_base64url(signature))
    raw[0] ^= 1
    yield "a signature with one bit changed", f"{message}.{to_base64url(bytes(raw))}"
    half = from_base64url(signature)
    der = encode_dss_signature(int.from_bytes(half[:32], "big"), int.from_bytes(half[32:], "big"))
    yield "a signature in DER", f"{message}.{to_base64url(der)}"
    yield "a signature of zeros", f"{message}.{to_base64url(bytes(64))}"
    yield "half a signature", f"{message}.{to_base64url(half[:32])}"
    yield "a signature that goes on", f"{message}.{to_base64url(half + bytes(1))}"
    yield "no signature", f"{message}."
    yield "the signature of another token", f"{message}.{w.tokens.user().rpartition('.')[2]}"
    head, body, _ = w.tokens.user(roles=["admin"]).split(".")
    yield "the claims of another token", f"{head}.{body}.{signature}"


def _spellings(w: World) -> Iterator[tuple[str, str]]:
    token = w.tokens.user()
    head, body, signature = token.split(".")
    yield "nothing", ""
    yield "one part", head
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{token}."
    yield "five parts, as if encrypted", f"{token}.AA.AA"
    yield "a part that is empty", f"{head}..{signature}"
    yield "padding", f"{head}.{body}.{signature}=="
    yield "a space before it", f" {token}"
    yield "a line end after it", f"{token}\n"
    yield "a space inside", f"{head}.{body[:8]} {body[8:]}.{signature}"
    yield "a character beyond ASCII", f"{head}.{body}.{signature[:-1]}é"
    last = signature[-1]
    spelled = {"A": "B", "Q": "R", "g": "h", "w": "x"}[last]
    yield "bits that mean nothing at the end of the signature", f"{head}.{body}.{signature[:-1]}{spelled}"
    yield "the JSON form", json.dumps({"protected": head, "payload": body, "signature": signature})
    yield "a genuine token that is longer than 8,192 characters", w.tokens.user(filler="x" * 6_000)
