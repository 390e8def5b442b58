"""What commands need of the world, as shapes. `adapters` implements them; tests may too, under the same suites."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from commands.key_origins import KeyOrigins
from commands.ports.actions import ActionClaims, ActionTokens
from commands.ports.erased import EntryRefused, ErasedEntry, ErasedNames, ErasedReads
from commands.ports.factors import (
    Challenge,
    Challenges,
    CodePurpose,
    MailCodes,
    MailedCode,
    PasskeyForLink,
    PasskeyOffer,
    PasskeyProof,
    PasskeySignIn,
    RecoveryMacs,
    SignInChallenge,
)
from commands.ports.gateways import Found, WhoCalls
from commands.ports.mail import Budget, Letter, Mailbox, MailToken, MailTokenKind, MailTokens
from commands.ports.passkeys import Assertion, Attestation, NewPasskey, Passkeys
from commands.ports.policy import Policy, Score
from commands.ports.shown_secrets import KEPT_S, Place, ShownSecrets
from commands.ports.signing_in import (
    Advice,
    AttemptOutcome,
    BootstrapCodes,
    GuardReading,
    KeptAttempt,
    PasswordHasher,
    PasswordJudge,
    SignInGuard,
    Strength,
    Unusable,
    Verified,
)
from commands.ports.store import (
    KEYS_PER_ACTOR,
    Appended,
    AppendResult,
    ClaimChange,
    ClaimMac,
    Commit,
    EventStore,
    Heads,
    Holding,
    IdempotencyKey,
    NewEvent,
    StoredEvent,
    StoredHead,
    StreamWrite,
)
from commands.ports.tokens import (
    AccessClaims,
    Assertions,
    NewKey,
    PresentedAssertion,
    PresentedDevice,
    PresentedRefreshToken,
    SigningKeys,
    TokenMint,
)
from commands.session_origins import SessionOrigins
from domain.event import Erased, SealClass, Sealed
from domain.ids import AudienceName, Digest, SessionId, StreamName, SubjectKeyId, UserId
from domain.suspicion import is_suspicious

__all__ = [
    "KEPT_S",
    "KEYS_PER_ACTOR",
    "AccessClaims",
    "ActionClaims",
    "ActionTokens",
    "Advice",
    "AppendResult",
    "Appended",
    "Assertion",
    "Assertions",
    "AttemptOutcome",
    "Attestation",
    "BootstrapCodes",
    "Budget",
    "Challenge",
    "Challenges",
    "ClaimChange",
    "ClaimMac",
    "CodePurpose",
    "Commit",
    "EntryRefused",
    "ErasedEntry",
    "ErasedNames",
    "ErasedReads",
    "EventStore",
    "Found",
    "GuardReading",
    "Heads",
    "Holding",
    "IdempotencyKey",
    "KeptAttempt",
    "LastUsed",
    "Letter",
    "Macs",
    "MailCodes",
    "MailToken",
    "MailTokenKind",
    "MailTokens",
    "Mailbox",
    "MailedCode",
    "NewEvent",
    "NewKey",
    "NewPasskey",
    "OpenSessions",
    "PasskeyForLink",
    "PasskeyOffer",
    "PasskeyProof",
    "PasskeySignIn",
    "Passkeys",
    "PasswordHasher",
    "PasswordJudge",
    "Place",
    "Policy",
    "Ports",
    "PresentedAssertion",
    "PresentedDevice",
    "PresentedRefreshToken",
    "Randomness",
    "RecoveryMacs",
    "Score",
    "SecretKind",
    "SecretMac",
    "ShownSecrets",
    "SignInChallenge",
    "SignInGuard",
    "SigningKeys",
    "StoredEvent",
    "StoredHead",
    "StreamWrite",
    "Strength",
    "TokenMint",
    "Unusable",
    "Vault",
    "Verified",
    "WhoCalls",
]


@runtime_checkable
class Vault(Protocol):
    """Subject keys and what they protect (audit.md, Erasure; threats.md 12).

    `seal` makes the subject's key of that class when there is none; with `fresh` a new generation is always made
    (each password has its own). `open` gives Erased where the key is gone.
    """

    async def seal(
        self, *, subject: StreamName, seal_class: SealClass, stream: StreamName, fields: Mapping[str, str], fresh: bool = False
    ) -> Mapping[str, Sealed]: ...
    async def open(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased: ...
    async def reveal(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased | Sealed:
        """As `open`, for somebody to read. What is sealed as a credential comes back as it is: no permission opens it."""
        ...

    async def destroy_left_passwords(self, subject: StreamName) -> None:
        """Destroy the keys of a user's passwords that were appended and that its head remembers no more."""
        ...

    async def keys_of(self, subjects: Sequence[StreamName]) -> Sequence[SubjectKeyId]:
        """Give the keys of these subjects, the oldest first."""
        ...

    async def not_erased(self, subjects: Sequence[StreamName]) -> Sequence[StreamName]:
        """Give those of these subjects whose keys no erasure has destroyed."""
        ...

    async def destroy_keys_of_erased(self, subject: StreamName) -> None:
        """Destroy every key of a subject whose stream says that it was erased; no other subject's. It gets none any more.

        Where the log has told of very many within a day, it may do nothing yet: call it again.
        """
        ...


@runtime_checkable
class Macs(Protocol):
    """Keyed HMACs, each purpose under its own key (threats.md 11)."""

    def claim(self, kind: str, normalised: str) -> ClaimMac:
        """Under the newest index key: what a new claim is stored as."""
        ...

    def claim_candidates(self, kind: str, normalised: str) -> Sequence[ClaimMac]:
        """Under every index key still in use: what to look a name up by."""
        ...

    def login_name(self, normalised: str) -> bytes: ...
    def device(self, device_id: UUID) -> bytes: ...
    def sign_in_fact(self, name_mac: bytes, kind: str, text: str) -> bytes:
        """What is remembered of a sign-in: worth nothing for another account."""
        ...

    def idempotency_key(self, *, principal: str, method: str, route: str, key: str) -> bytes: ...
    def sealing_key(self, *, principal: str, method: str, route: str, key: str) -> bytes:
        """Give the 256-bit key that a secret is kept under for who sent this Idempotency-Key."""
        ...

    def body_digest(self, body: bytes) -> bytes: ...
    def secret(self, kind: "SecretKind", name: str, secret: str) -> "SecretMac":
        """What a secret of a machine is kept as: bound to whose it is, under the newest key of its kind."""
        ...

    def secret_matches(self, kind: "SecretKind", name: str, secret: str, *, digest: Digest, key_version: int) -> bool:
        """Compare in constant time; False under a key that is not there."""
        ...


class SecretKind(StrEnum):
    """Kinds of secrets of machines, each under keys of its own."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind
    API_KEY = "api_key"


class SecretMac(Struct, frozen=True, kw_only=True):
    digest: Digest
    key_version: int


@runtime_checkable
class LastUsed(Protocol):
    """When a session, client or key was last used: for people to read, to the minute. Nothing is decided on it."""

    def note(self, stream: StreamName, *, at: datetime) -> None:
        """Remember a use; of several, the latest. Costs nothing that a request would notice, and cannot fail."""
        ...

    async def of(self, streams: Sequence[StreamName]) -> Mapping[StreamName, datetime]:
        """Give what is known of these. What another process noted in the last seconds may be missing. Raises StoreUnavailable."""
        ...


class Randomness(Protocol):
    def uuid7(self) -> UUID: ...
    def bytes(self, n: int) -> bytes: ...


class OpenSessions(Protocol):
    """Which sessions somebody has, as far as is known: what began in the last moments may be missing, and what has ended be there."""

    async def of(self, user_id: UserId, audience: AudienceName) -> Sequence[SessionId]:
        """Give those at one audience, the oldest first. Raises StoreUnavailable."""
        ...


def _a_month_on(at: datetime) -> datetime:
    return at + timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a command may touch."""

    store: EventStore
    vault: Vault
    hasher: PasswordHasher
    judge: PasswordJudge
    guard: SignInGuard
    mint: TokenMint
    macs: Macs
    assertions: Assertions
    keys: SigningKeys
    bootstrap: BootstrapCodes
    challenges: Challenges
    passkeys: Passkeys
    recovery: RecoveryMacs
    random: Randomness
    last_used: LastUsed
    action_tokens: ActionTokens
    mailbox: Mailbox
    mail_tokens: MailTokens
    shown_secrets: ShownSecrets
    mail_codes: MailCodes
    policy: Policy
    score: Score = is_suspicious
    open_sessions: OpenSessions | None = None
    """Asked only where sessions are limited."""
    backups_until: Callable[[datetime], datetime] = _a_month_on
    """When no backup opens any more what is destroyed at that time."""
    origins: SessionOrigins = field(default_factory=SessionOrigins)
    key_origins: KeyOrigins = field(default_factory=KeyOrigins)
