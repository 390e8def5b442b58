"""What can happen to a service account. `domain/client.py` says what it means and when it may."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.event import Event, Sealed
from domain.ids import AudienceSlug, ClientSlug, DigestText, KidText, SecretId, UserId
from domain.permission import PermissionText
from domain.signing_key import Algorithm, PublicJwk


class DisableReason(StrEnum):
    ADMINISTRATIVE = "administrative"
    COMPROMISED = "compromised"


class SecretDigest(Struct, frozen=True, kw_only=True):
    """A client secret as it is known: 256 random bits, of which only an HMAC under version `key_version` is kept."""

    secret_id: SecretId
    digest: DigestText
    key_version: int
    made_at: datetime
    expires_at: datetime | None


class ClientKey(Struct, frozen=True, kw_only=True):
    """A public key the service account signs its assertions with (RFC 7523), and the one algorithm it is used with."""

    kid: KidText
    algorithm: Algorithm
    public: PublicJwk


class ClientRegistered(Event, frozen=True, kw_only=True, tag="client.registered.v1"):
    client_id: ClientSlug
    owner_id: UserId | None
    """The person who answers for it; none where the holder of the database made it."""
    name: Sealed
    audiences: tuple[AudienceSlug, ...]
    permissions: tuple[PermissionText, ...]
    token_ttl: int
    """Seconds that its access tokens live at most."""


class ClientChanged(Event, frozen=True, kw_only=True, tag="client.changed.v1"):
    """All of it as it is from now on. Tokens given before are of an older epoch where it may do less."""

    client_id: ClientSlug
    owner_id: UserId | None
    name: Sealed
    audiences: tuple[AudienceSlug, ...]
    permissions: tuple[PermissionText, ...]
    token_ttl: int
    epoch: int


class ClientSecretAdded(Event, frozen=True, kw_only=True, tag="client.secret_added.v1"):
    """The one before it works until `previous_until`; an older one ends now."""

    client_id: ClientSlug
    secret: SecretDigest
    previous_until: datetime


class ClientSecretRemoved(Event, frozen=True, kw_only=True, tag="client.secret_removed.v1"):
    client_id: ClientSlug
    secret_id: SecretId


class ClientKeyAdded(Event, frozen=True, kw_only=True, tag="client.key_added.v1"):
    client_id: ClientSlug
    key: ClientKey


class ClientKeyRemoved(Event, frozen=True, kw_only=True, tag="client.key_removed.v1"):
    client_id: ClientSlug
    kid: KidText


class ClientTokensRevoked(Event, frozen=True, kw_only=True, tag="client.tokens_revoked.v1"):
    """Every token given before is dead; its secrets and keys go on."""

    client_id: ClientSlug
    epoch: int


class ClientDisabled(Event, frozen=True, kw_only=True, tag="client.disabled.v1"):
    client_id: ClientSlug
    reason: DisableReason
    epoch: int


class ClientEnabled(Event, frozen=True, kw_only=True, tag="client.enabled.v1"):
    client_id: ClientSlug


class ClientDeleted(Event, frozen=True, kw_only=True, tag="client.deleted.v1"):
    client_id: ClientSlug


ClientEvent = (
    ClientRegistered | ClientChanged | ClientSecretAdded | ClientSecretRemoved | ClientKeyAdded | ClientKeyRemoved
    | ClientTokensRevoked | ClientDisabled | ClientEnabled | ClientDeleted
)  # fmt: skip
