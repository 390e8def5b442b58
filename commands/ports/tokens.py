"""Tokens and the keys that sign them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from domain.audience import PrincipalKind
from domain.client_events import ClientKey
from domain.ids import ClientId, Kid, KidText, SessionId
from domain.signing_key import Algorithm, PublicJwk


class AccessClaims(Struct, frozen=True, kw_only=True):
    """What an access token says (RFC 9068). Times are whole seconds since the epoch.

    A service account's has no session, and nobody authenticated: `sid`, `auth_time`, `acr` and `amr` are empty, and not in it.
    """

    sub: str
    aud: str
    exp: int
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
    kid: str = ""
    """The key that signed it, once verified. Not a claim: never inside the token."""


@runtime_checkable
class TokenMint(Protocol):
    """Signs access tokens with the active key, and derives the secrets of refresh and device tokens."""

    async def access_token(self, claims: AccessClaims, algorithm: Algorithm | None = None) -> str:
        """Sign with the newest active key of the algorithm; without one, of the settings'. Raises StoreUnavailable while there is none."""
        ...

    def kid_of(self, token: str) -> Kid:
        """The key that signed an access token of ours, as its header says."""
        ...

    @property
    def refresh_key_version(self) -> int: ...
    def refresh_token(self, *, session_id: SessionId, generation: int, key_version: int, seed: bytes) -> str:
        """`mrt_<sid>.<gen>.<kv>.<secret>` (threats.md 1)."""
        ...

    def read_refresh_token(self, token: str) -> "PresentedRefreshToken | None":
        """Take a token apart; None when it has not even the shape. Says nothing yet of its being genuine."""
        ...

    def refresh_token_is_genuine(self, presented: "PresentedRefreshToken", *, seed: bytes) -> bool: ...
    def device_token(self, *, user_id: UUID, epoch: int, device_id: UUID) -> str: ...
    def read_device_token(self, token: str) -> "PresentedDevice | None":
        """The device a genuine `mdv_` token names, or None."""
        ...


class PresentedRefreshToken(Struct, frozen=True, kw_only=True):
    session_id: SessionId
    generation: int
    key_version: int
    secret: bytes

    def __repr__(self) -> str:
        return f"PresentedRefreshToken(session_id={self.session_id}, generation={self.generation})"


class PresentedAssertion(Struct, frozen=True, kw_only=True):
    """A JWT by which a service account says who it is (RFC 7523), taken apart and not yet verified. Times are seconds since the epoch."""

    client_id: ClientId
    kid: str | None
    algorithm: Algorithm
    message: bytes
    signature: bytes
    jti: str
    expires_at: float
    not_before: float

    def __repr__(self) -> str:
        return f"PresentedAssertion(client_id={self.client_id})"


@runtime_checkable
class Assertions(Protocol):
    """Reads and verifies assertions, and lets each be used once (RFC 7523 3)."""

    def read(self, text: str) -> PresentedAssertion | None: ...
    def is_timely(self, shown: PresentedAssertion, *, at: datetime) -> bool: ...
    def is_signed_by(self, shown: PresentedAssertion, key: ClientKey | None) -> bool:
        """None is nobody's key: false after as much work as with somebody's."""
        ...

    async def spend(self, shown: PresentedAssertion) -> bool:
        """Remember it until it has expired. False where it was used before."""
        ...

    def kid_of(self, algorithm: Algorithm, public: PublicJwk) -> Kid:
        """Name a public key. Raises UnusableKey."""
        ...


class PresentedDevice(Struct, frozen=True, kw_only=True):
    user_id: UUID
    epoch: int
    device_id: UUID


class NewKey(Struct, frozen=True, kw_only=True):
    """The public side of a signing key whose private half is in the vault already."""

    kid: KidText
    algorithm: Algorithm
    public: PublicJwk


@runtime_checkable
class SigningKeys(Protocol):
    """The private halves of signing keys. What stage a key is in is the business of its stream."""

    async def generate(self, algorithm: Algorithm) -> NewKey:
        """Make a key and keep its private half, before the event that makes it known is appended.

        One that no event ever names signs nothing and is published nowhere.
        """
        ...

    async def kids(self) -> Sequence[Kid]:
        """Every key ever generated, oldest first, whatever its stage."""
        ...

    async def refresh(self) -> None:
        """Let this process see at once what was appended to the keys' streams; others see it within seconds."""
        ...
