"""Assertions by which service accounts prove themselves (RFC 7523): read strictly, verified with a registered key, good once.

No key is ever fetched from an address a caller names: there is no request to be forged (SSRF), and no `jku`, `x5u` or `jwk` is read.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from secrets import randbits
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.base64url import from_text
from adapters.framing import framed
from adapters.jwk import UnfitKey, Verifier, generate, public_jwk, public_key, thumbprint
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from commands.ports import PresentedAssertion
from domain.client_events import ClientKey
from domain.errors import UnusableKey
from domain.ids import ClientId, Kid
from domain.signing_key import Algorithm, PublicJwk

SQL = statements(Path(__file__).with_suffix(".sql"))
LONGEST = 4_096
"""Characters."""
LONGEST_LIFE = 300
"""Seconds from when it is shown: how long a used one has to be remembered."""
LEEWAY = 30
RSA_BITS = range(2_048, 8_193)
_TYPES = frozenset({"JWT", "client-authentication+jwt"})
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    alg: Algorithm
    kid: str | UnsetType = UNSET
    typ: str = "JWT"


_WITHIN = Meta(ge=0, le=2**40)
Moment = Annotated[int, _WITHIN] | Annotated[float, _WITHIN]
"""Seconds since 1970 (RFC 7519 2, NumericDate). What is no such moment could not be reckoned with."""


class _Claims(Struct, frozen=True, kw_only=True):
    iss: str
    sub: str
    aud: str | tuple[str]
    exp: Moment
    jti: str
    iat: Moment | UnsetType = UNSET
    nbf: Moment | UnsetType = UNSET


_read_header = msgspec.json.Decoder(_Header)
_read_claims = msgspec.json.Decoder(_Claims)


Spend = Callable[[bytes, float], Awaitable[bool]]
"""Keep a digest until a time. False where it is kept already: of any number at once, one gets True."""


def spent_in(links: Links) -> Spend:
    """Keep them in the database, for all processes. What it gives raises StoreUnavailable."""

    async def spend(digest: bytes, until: float) -> bool:
        return bool(await links.run(SQL["spend"], digest, until))

    return spend


def spent_in_memory() -> Spend:
    """Keep them in one process, for tests of commands."""
    kept: set[bytes] = set()

    async def spend(digest: bytes, _until: float) -> bool:
        known = digest in kept
        kept.add(digest)
        return not known

    return spend


def _nobodys() -> Mapping[Algorithm, PublicJwk]:
    """Make keys whose private halves nobody has: of RSA a modulus that nobody made of primes, which is quicker to come by."""
    modulus = randbits(RSA_BITS.start) | 1 << RSA_BITS.start - 1 | 1
    of_rsa = public_jwk(rsa.RSAPublicNumbers(65_537, modulus).public_key())
    made = {each: public_jwk(generate(each).public_key()) for each in (Algorithm.ES256, Algorithm.EDDSA)}
    return {**made, Algorithm.RS256: of_rsa, Algorithm.PS256: of_rsa}


_NOBODYS = _nobodys()


class KeyedAssertions:
    """commands.ports.Assertions. `audiences`: what `aud` may be, exactly: the issuer, or the address of the token endpoint."""

    def __init__(self, spend: Spend, *, audiences: Collection[str]) -> None:
        self._spend = spend
        self._audiences = frozenset(audiences)

    def read(self, text: str) -> PresentedAssertion | None:
        """Take one apart; None for what is not meant for us or says too much or too little. Proves nothing yet."""
        parts = text.split(".") if len(text) <= LONGEST and text.isascii() else []
        if len(parts) != 3:
            return None
        raw = [from_text(part) for part in parts]
        try:
            header, claims = _read_header.decode(raw[0] or b""), _read_claims.decode(raw[1] or b"")
        except _UNREADABLE:
            return None
        audience = claims.aud if isinstance(claims.aud, str) else claims.aud[0]
        if header.typ not in _TYPES or claims.iss != claims.sub or audience not in self._audiences or not 1 <= len(claims.jti) <= 255:
            return None
        return PresentedAssertion(
            client_id=ClientId(claims.sub),
            kid=None if header.kid is UNSET else header.kid,
            algorithm=header.alg,
            message=f"{parts[0]}.{parts[1]}".encode(),
            signature=raw[2] or b"",
            jti=claims.jti,
            expires_at=float(claims.exp),
            not_before=max((float(t) for t in (claims.iat, claims.nbf) if t is not UNSET), default=0.0),
        )

    def is_timely(self, shown: PresentedAssertion, *, at: datetime) -> bool:
        now = at.timestamp()
        return now - LEEWAY < shown.expires_at <= now + LONGEST_LIFE + LEEWAY and shown.not_before <= now + LEEWAY

    def is_signed_by(self, shown: PresentedAssertion, key: ClientKey | None) -> bool:
        public = _NOBODYS[shown.algorithm] if key is None else key.public
        accepted = _verifier(shown.algorithm if key is None else key.algorithm, public).accepts(shown.message, shown.signature)
        return accepted and key is not None

    async def spend(self, shown: PresentedAssertion) -> bool:
        """Remember an assertion until it has expired. False where that was done before. Raises StoreUnavailable."""
        return await self._spend(sha256(framed((shown.client_id, shown.jti))).digest(), shown.expires_at + LEEWAY)

    def kid_of(self, algorithm: Algorithm, public: PublicJwk) -> Kid:
        """Name a public key. Raises UnusableKey for one that its algorithm cannot be used with, or that is too weak."""
        try:
            verifier = _verifier(algorithm, public)
            verifier.accepts(b"", b"")
        except UnfitKey as unfit:
            raise UnusableKey from unfit
        if isinstance(verifier.key, rsa.RSAPublicKey) and verifier.key.key_size not in RSA_BITS:
            raise UnusableKey
        return verifier.kid


def _verifier(algorithm: Algorithm, public: PublicJwk) -> Verifier:
    """Others sign as the standard says: of the two an ES256 signature can be, either."""
    return Verifier(thumbprint(public), algorithm, public_key(public), low_s=False)
