"""Access tokens without anything but keys and a clock: what is accepted once is remembered by its digest until it expires."""

from hashlib import sha256

from minos_sdk.claims import Claims, read_claims
from minos_sdk.errors import ExpiredToken, InvalidToken, KeysUnavailable
from minos_sdk.identity import Identity
from minos_sdk.jws import Malformed, Signed, read, read_object
from minos_sdk.key_set import ALGORITHMS, Key
from minos_sdk.ports import KeySource
from minos_sdk.revocations import Ties, ties_of_claims
from minos_sdk.signal_sets import check_signature, check_type

TYPE = "at+jwt"
LONGEST = 8_192
"""Characters of a token."""


class UnknownKey(InvalidToken):
    """A token that is right in all but its key, which may be newer than what is known here."""

    def __init__(self, kid: str) -> None:
        super().__init__(reason="unknown_key")
        self.kid = kid


class KnownToken:
    """A genuine token. `version`: what was known when it was last held against all that is known, and stood."""

    __slots__ = ("begins", "claims", "ends", "identity", "key", "ties", "version")

    def __init__(self, claims: Claims, key: Key, leeway: float) -> None:
        self.claims = claims
        self.key = key
        self.ties: Ties = ties_of_claims(claims)
        self.identity = identity_of(claims)
        self.begins = max(claims.iat, claims.nbf) - leeway
        self.ends = claims.exp + leeway
        self.version = -1


class TokenReader:
    """Accepts access tokens (RFC 9068) of one issuer for one audience. The tokens themselves are never kept."""

    def __init__(self, *, issuer: str, audience: str, keys: KeySource, leeway: float, remembered: int) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._leeway = leeway
        self._remembered = remembered
        self._known: dict[bytes, KnownToken] = {}
        self.hits = 0
        self.misses = 0
        keys.on_change(self._forget_keys)

    def __len__(self) -> int:
        return len(self._known)

    def known(self, token: str, now: float) -> KnownToken:
        """Give a genuine token in its time. Raises InvalidToken, ExpiredToken, UnknownKey, KeysUnavailable."""
        try:
            digest = sha256(token.encode("ascii")).digest()
        except UnicodeEncodeError:
            raise InvalidToken(reason="malformed") from None
        known = self._known.get(digest)
        if known is None:
            self.misses += 1
            known = self._read(token, now)
            self._remember(digest, known, now)
        else:
            self.hits += 1
        if now >= known.ends:
            self._known.pop(digest, None)
            raise ExpiredToken(reason="expired")
        if now < known.begins:
            raise InvalidToken(reason="not_yet")
        return known

    def _read(self, token: str, now: float) -> KnownToken:
        try:
            signed = read(token, longest=LONGEST)
            check_type(signed.header, TYPE)
            key = self._key(signed, now)
            check_signature(signed, key)
            return KnownToken(self._claims(signed), key, self._leeway)
        except Malformed as bad:
            raise InvalidToken(reason=bad.reason) from None

    def _key(self, signed: Signed, now: float) -> Key:
        """Raises UnknownKey and KeysUnavailable only for what could be good: garbage has no key looked for."""
        if signed.header.alg not in ALGORITHMS:
            raise Malformed("algorithm")
        missing: Exception
        try:
            if (key := self._keys.get(signed.header.kid)) is not None:
                return key
            missing = UnknownKey(signed.header.kid)
        except KeysUnavailable as away:
            missing = away
        if now >= self._claims(signed).exp + self._leeway:
            raise ExpiredToken(reason="expired")
        raise missing

    def _claims(self, signed: Signed) -> Claims:
        payload = read_object(signed.body)
        if payload.get("iss") != self._issuer:
            raise Malformed("issuer")
        if payload.get("aud") != self._audience:
            raise Malformed("audience")
        return read_claims(payload, kid=signed.header.kid)

    def _remember(self, digest: bytes, known: KnownToken, now: float) -> None:
        if now >= known.ends:
            return
        if len(self._known) >= self._remembered:
            self._known.pop(next(iter(self._known)))
        self._known[digest] = known

    def _forget_keys(self) -> None:
        self._known = {digest: known for digest, known in self._known.items() if self._keys.get(known.key.kid) == known.key}


def identity_of(claims: Claims) -> Identity:
    """As the token says, before anything is known of what changed since. What a person's roles give is for the signals to tell."""
    person = claims.principal == "user"
    return Identity(
        principal=claims.principal,
        subject=claims.sub,
        user_id=claims.sub if person else None,
        client_id=claims.client_id,
        session_id=claims.sid,
        token_id=claims.jti,
        audience=claims.aud,
        roles=claims.roles if person else frozenset(),
        permissions=frozenset() if person else claims.scope,
        scopes=claims.scope,
        auth_time=claims.auth_time,
        acr=claims.acr,
        amr=claims.amr,
        issued_at=claims.iat,
        expires_at=claims.exp,
        epoch=claims.epoch,
        roles_version=claims.roles_version,
        kid=claims.kid,
    )
