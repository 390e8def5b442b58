"""Access tokens as JWTs (RFC 9068): made with the active key, accepted only exactly as they are made (RFC 8725)."""

import time
from collections.abc import Callable, Collection
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import Struct

from adapters.base64url import from_text, to_text
from adapters.jwk import Verifier
from adapters.keyring import Keyring
from adapters.recent import Recent
from adapters.refresh_tokens import DerivedTokens
from commands.ports import AccessClaims, PresentedDevice, PresentedRefreshToken
from domain.audience import PrincipalKind
from domain.errors import InvalidToken
from domain.ids import Kid, SessionId
from domain.signing_key import Algorithm

LONGEST = 8_192
"""Characters."""
LEEWAY = 30
"""Seconds that another machine's clock may be off by, for `exp`, `nbf` and `iat` alike."""
TYPE = "at+jwt"
REMEMBERED = 4_096
REMEMBERED_S = 600.0


class _Header(Struct, frozen=True):
    """In the order it is written: a header that says the same in other bytes is not one of ours."""

    alg: Algorithm
    kid: str
    typ: str


class _Payload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is empty in a service account's token is not in it, and in a person's never empty."""

    iss: str
    sub: str
    aud: str
    exp: int
    nbf: int
    iat: int
    jti: str
    sid: str = ""
    client_id: str
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()
    scope: str
    roles: tuple[str, ...]
    principal: PrincipalKind
    epoch: int
    roles_version: int


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no such JSON; bad UTF-8 and deep nesting have errors of their own."""
_read_payload = msgspec.json.Decoder(_Payload)
_read_header = msgspec.json.Decoder(_Header)


class KeyedMint:
    """commands.ports.TokenMint."""

    def __init__(self, keyring: Keyring, derived: DerivedTokens, *, issuer: str) -> None:
        self._keyring = keyring
        self._derived = derived
        self._issuer = issuer

    async def access_token(self, claims: AccessClaims, algorithm: Algorithm | None = None) -> str:
        signer = await self._keyring.signer(algorithm)
        message = header(signer.kid, signer.algorithm) + b"." + to_text(msgspec.json.encode(_payload(claims, self._issuer))).encode()
        return f"{message.decode()}.{to_text(signer.sign(message))}"

    def kid_of(self, token: str) -> Kid:
        return Kid(_read_header.decode(from_text(token.partition(".")[0]) or b"").kid)

    @property
    def refresh_key_version(self) -> int:
        return self._derived.refresh_key_version

    def refresh_token(self, *, session_id: SessionId, generation: int, key_version: int, seed: bytes) -> str:
        return self._derived.refresh_token(session_id=session_id, generation=generation, key_version=key_version, seed=seed)

    def read_refresh_token(self, token: str) -> PresentedRefreshToken | None:
        return self._derived.read_refresh_token(token)

    def refresh_token_is_genuine(self, presented: PresentedRefreshToken, *, seed: bytes) -> bool:
        return self._derived.refresh_token_is_genuine(presented, seed=seed)

    def device_token(self, *, user_id: UUID, epoch: int, device_id: UUID) -> str:
        return self._derived.device_token(user_id=user_id, epoch=epoch, device_id=device_id)

    def read_device_token(self, token: str) -> PresentedDevice | None:
        return self._derived.read_device_token(token)


class AccessTokenVerifier:
    """Accepts our own access tokens and nothing else.

    A token seen before is recognised by its SHA-256, which spares the signature; its times, audience and key are
    looked at every time. The token itself is never kept.
    """

    def __init__(self, keyring: Keyring, *, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock
        self._seen: Recent[bytes, AccessClaims] = Recent(limit=REMEMBERED, ttl=REMEMBERED_S, clock=time.monotonic)

    async def verify(self, token: str, *, audiences: Collection[str] | None) -> AccessClaims:
        """Give the claims of a live token for one of `audiences`, with the `kid` that signed it. None stands for any of ours.

        Raises InvalidToken, the same whatever is wrong, and StoreUnavailable when the keys cannot be looked up.
        """
        if len(token) > LONGEST or not token.isascii():
            raise InvalidToken
        digest = sha256(token.encode()).digest()
        claims = self._seen.get(digest)
        if claims is None:
            claims = await self._verified(token)
            self._seen.put(digest, claims)
        elif await self._keyring.verifier(claims.kid) is None:
            self._seen.drop(digest)
            raise InvalidToken
        now = self._clock()
        if (audiences is not None and claims.aud not in audiences) or now >= claims.exp + LEEWAY or now < claims.iat - LEEWAY:
            raise InvalidToken
        return claims

    async def _verified(self, token: str) -> AccessClaims:
        head, _, rest = token.partition(".")
        body, _, tail = rest.partition(".")
        verifier = await self._key_for(head)
        raw, signature = from_text(body), from_text(tail)
        if verifier is None or raw is None or signature is None or not verifier.accepts(f"{head}.{body}".encode(), signature):
            raise InvalidToken
        try:
            payload = _read_payload.decode(raw)
        except _UNREADABLE:
            raise InvalidToken from None
        if not _is_of_its_class(payload) or payload.iss != self._issuer or payload.nbf > self._clock() + LEEWAY:
            raise InvalidToken
        return _claims(payload, verifier.kid)

    async def _key_for(self, head: str) -> Verifier | None:
        """Only the very header that is written for a key chooses it: algorithm and type pinned, nothing else said."""
        raw = from_text(head)
        try:
            kid = "" if raw is None else _read_header.decode(raw).kid
        except _UNREADABLE:
            return None
        verifier = await self._keyring.verifier(kid)
        return verifier if verifier is not None and header(verifier.kid, verifier.algorithm) == head.encode() else None


def _is_of_its_class(payload: _Payload) -> bool:
    """A person's token says which session it is of and how they proved who they are; a machine's says none of it."""
    said = {bool(payload.sid), bool(payload.auth_time), bool(payload.acr), bool(payload.amr)}
    return said == {payload.principal is PrincipalKind.USER}


@lru_cache(maxsize=64)
def header(kid: str, algorithm: Algorithm) -> bytes:
    return to_text(msgspec.json.encode(_Header(algorithm, kid, TYPE))).encode()


def _payload(claims: AccessClaims, issuer: str) -> _Payload:
    return _Payload(
        iss=issuer,
        sub=claims.sub,
        aud=claims.aud,
        exp=claims.exp,
        nbf=claims.iat,
        iat=claims.iat,
        jti=claims.jti,
        sid=claims.sid,
        client_id=claims.client_id,
        auth_time=claims.auth_time,
        acr=claims.acr,
        amr=claims.amr,
        scope=claims.scope,
        roles=claims.roles,
        principal=claims.principal,
        epoch=claims.epoch,
        roles_version=claims.roles_version,
    )


def _claims(payload: _Payload, kid: str) -> AccessClaims:
    return AccessClaims(
        sub=payload.sub,
        aud=payload.aud,
        exp=payload.exp,
        iat=payload.iat,
        jti=payload.jti,
        sid=payload.sid,
        client_id=payload.client_id,
        auth_time=payload.auth_time,
        acr=payload.acr,
        amr=payload.amr,
        scope=payload.scope,
        roles=payload.roles,
        principal=payload.principal,
        epoch=payload.epoch,
        roles_version=payload.roles_version,
        kid=kid,
    )
