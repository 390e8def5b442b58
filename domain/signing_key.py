"""A key that signs: published ahead of use, then active, then retiring while what it signed lives. Each is for one purpose (threats.md 14).

The private half is never here; the vault holds it wrapped.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import NoSuchSigningKey, SigningKeyNotUsable
from domain.event import Event
from domain.ids import Kid, KidText, StreamName

Base64Url = NewType("Base64Url", str)
Base64UrlText = Annotated[Base64Url, Meta(pattern=r"^[A-Za-z0-9_-]+$(?!\n)", max_length=1024)]


class Algorithm(StrEnum):
    ES256 = "ES256"
    RS256 = "RS256"
    PS256 = "PS256"
    EDDSA = "EdDSA"


class Purpose(StrEnum):
    """What a key signs, and nothing else: who verifies one class of token never accepts another's key."""

    ACCESS = "access"
    """Access tokens, by whichever algorithm an audience has."""
    SIGNALS = "signals"
    """What downstream services are told of revocations and roles (RFC 8417)."""
    INTERNAL = "internal"
    """What a gateway hands to the services behind it."""


class KeyRevocation(StrEnum):
    COMPROMISED = "compromised"
    SUPERSEDED = "superseded"
    ADMINISTRATIVE = "administrative"


class KeyType(StrEnum):
    EC = "EC"
    RSA = "RSA"
    OKP = "OKP"


class Curve(StrEnum):
    P256 = "P-256"
    ED25519 = "Ed25519"


class PublicJwk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The public members of a JWK (RFC 7517, RFC 7518 6)."""

    kty: KeyType
    crv: Curve | None = None
    x: Base64UrlText | None = None
    y: Base64UrlText | None = None
    n: Base64UrlText | None = None
    e: Base64UrlText | None = None


class SigningKeyCreated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="signing_key.created.v1"):
    kid: KidText
    algorithm: Algorithm
    public: PublicJwk
    purpose: Purpose = Purpose.ACCESS


class SigningKeyPromoted(Event, frozen=True, kw_only=True, tag="signing_key.promoted.v1"):
    kid: KidText


class SigningKeyPledged(Event, frozen=True, kw_only=True, tag="signing_key.pledged.v1"):
    """Something it signed lives until then: it has to verify so long, also when it signs no more."""

    kid: KidText
    until: datetime


class SigningKeyRetired(Event, frozen=True, kw_only=True, tag="signing_key.retired.v1"):
    """It signs no more; it verifies until `verify_until`, when the last token it signed has expired."""

    kid: KidText
    verify_until: datetime


class SigningKeyRevoked(Event, frozen=True, kw_only=True, tag="signing_key.revoked.v1"):
    kid: KidText
    reason: KeyRevocation


SigningKeyEvent = SigningKeyCreated | SigningKeyPromoted | SigningKeyPledged | SigningKeyRetired | SigningKeyRevoked


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Published(Struct, frozen=True, kw_only=True, tag="published"):
    """In the key set so that verifiers have it before the first token it signs."""

    kid: KidText
    algorithm: Algorithm
    public: PublicJwk
    published_at: datetime
    purpose: Purpose = Purpose.ACCESS


class Active(Struct, frozen=True, kw_only=True, tag="active"):
    kid: KidText
    algorithm: Algorithm
    public: PublicJwk
    promoted_at: datetime
    pledged_until: datetime | None = None
    """When the last thing it signed ends, where that is further off than an access token's end."""
    purpose: Purpose = Purpose.ACCESS


class Retiring(Struct, frozen=True, kw_only=True, tag="retiring"):
    kid: KidText
    algorithm: Algorithm
    public: PublicJwk
    verify_until: datetime
    purpose: Purpose = Purpose.ACCESS


class Revoked(Struct, frozen=True, kw_only=True, tag="revoked"):
    kid: KidText
    reason: KeyRevocation


SigningKey = Absent | Published | Active | Retiring | Revoked


def evolve(state: SigningKey, event: SigningKeyEvent) -> SigningKey:
    match event:
        case SigningKeyCreated():
            return Published(kid=event.kid, algorithm=event.algorithm, public=event.public, published_at=event.at, purpose=event.purpose)
        case SigningKeyRevoked():
            return Revoked(kid=event.kid, reason=event.reason)
        case SigningKeyPromoted() if isinstance(state, Published):
            return Active(kid=state.kid, algorithm=state.algorithm, public=state.public, promoted_at=event.at, purpose=state.purpose)
        case SigningKeyRetired() if isinstance(state, Published | Active):
            return Retiring(
                kid=state.kid, algorithm=state.algorithm, public=state.public, verify_until=event.verify_until, purpose=state.purpose
            )
        case SigningKeyPledged() if isinstance(state, Active):
            return replace(state, pledged_until=event.until)
        case SigningKeyPromoted() | SigningKeyRetired() | SigningKeyPledged():
            return state
        case _:
            assert_never(event)


decider: Decider[SigningKey, SigningKeyEvent] = Decider("signing_key", SigningKey, 3, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(kid: Kid) -> StreamName:
    return StreamName(f"signing_key-{kid}")


def create(
    state: SigningKey, *, kid: Kid, algorithm: Algorithm, public: PublicJwk, at: datetime, purpose: Purpose = Purpose.ACCESS
) -> Sequence[SigningKeyEvent]:
    if not isinstance(state, Absent):
        return []
    return [SigningKeyCreated(kid=kid, algorithm=algorithm, public=public, purpose=purpose, at=at)]


def promote(state: SigningKey, *, at: datetime) -> Sequence[SigningKeyEvent]:
    match state:
        case Published(kid=kid):
            return [SigningKeyPromoted(kid=kid, at=at)]
        case Active():
            return []
        case Absent():
            raise NoSuchSigningKey
        case Retiring() | Revoked():
            raise SigningKeyNotUsable
        case _:
            assert_never(state)


def pledge(state: SigningKey, *, until: datetime, at: datetime) -> Sequence[SigningKeyEvent]:
    """Hold an active key to verifying until then, at least. Raises SigningKeyNotUsable."""
    if not isinstance(state, Active):
        raise SigningKeyNotUsable
    if state.pledged_until is not None and until <= state.pledged_until:
        return []
    return [SigningKeyPledged(kid=state.kid, until=until, at=at)]


def retire(state: SigningKey, *, verify_until: datetime, at: datetime) -> Sequence[SigningKeyEvent]:
    match state:
        case Published(kid=kid):
            return [SigningKeyRetired(kid=kid, verify_until=verify_until, at=at)]
        case Active(kid=kid, pledged_until=pledged):
            return [SigningKeyRetired(kid=kid, verify_until=max(verify_until, pledged or verify_until), at=at)]
        case Retiring():
            return []
        case Absent():
            raise NoSuchSigningKey
        case Revoked():
            raise SigningKeyNotUsable
        case _:
            assert_never(state)


def revoke(state: SigningKey, *, reason: KeyRevocation, at: datetime) -> Sequence[SigningKeyEvent]:
    """Withdraw it at once: tokens it signed are refused from now on."""
    match state:
        case Published(kid=kid) | Active(kid=kid) | Retiring(kid=kid):
            return [SigningKeyRevoked(kid=kid, reason=reason, at=at)]
        case Revoked():
            return []
        case Absent():
            raise NoSuchSigningKey
        case _:
            assert_never(state)


def verifies(state: SigningKey, *, at: datetime) -> bool:
    """Tell whether a token signed by this key may still be accepted, and the key be published."""
    match state:
        case Published() | Active():
            return True
        case Retiring(verify_until=until):
            return at < until
        case Absent() | Revoked():
            return False
        case _:
            assert_never(state)
