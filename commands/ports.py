"""What commands need of the world, as shapes. `adapters` implements them; tests may too, under the same suites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from commands.session_origins import SessionOrigins
from domain.event import Erased, SealClass, Sealed
from domain.ids import CommandId, CorrelationId, EventId, Kid, KidText, SessionId, StreamName, SubjectKeyId
from domain.signing_key import Algorithm, PublicJwk


class StoredHead(Struct, frozen=True, kw_only=True):
    """A stream as its head has it: version 0 and no state when nothing was ever appended."""

    stream: StreamName
    version: int
    state: bytes | None
    state_version: int


class Heads(Struct, frozen=True, kw_only=True):
    """Heads in the order asked for, and the database's clock when they were read."""

    heads: tuple[StoredHead, ...]
    at: datetime


class NewEvent(Struct, frozen=True, kw_only=True):
    event_id: EventId
    type: str
    payload: bytes
    key_id: SubjectKeyId | None


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One row of the log. `position` is None until sequenced."""

    position: int | None
    append_id: int
    stream: StreamName
    version: int
    type: str
    event_id: EventId
    recorded_at: datetime
    actor: str
    session_id: SessionId | None
    command_id: CommandId
    correlation_id: CorrelationId
    causation_id: EventId | None
    key_id: SubjectKeyId | None
    payload: bytes


class StreamWrite(Struct, frozen=True, kw_only=True):
    """Events for one stream, with the state they fold to. `expected` is the version the decision was made on.

    With no events it is a condition only: the commit passes only if the stream is still at `expected`.
    """

    stream: StreamName
    expected: int
    events: tuple[NewEvent, ...]
    state: bytes
    state_version: int


class ClaimMac(Struct, frozen=True):
    """A keyed HMAC of a normalised address or name, under one version of the index key."""

    index_version: int
    mac: bytes


class ClaimChange(Struct, frozen=True, kw_only=True):
    """Take a name for a claim stream, or give it up. Part of the append: all or nothing."""

    claim: ClaimMac
    stream: StreamName
    take: bool


class IdempotencyKey(Struct, frozen=True, kw_only=True):
    """`key`: HMAC of principal, method, route and the client's key. `digest`: HMAC of the body without secrets.
    `outcome`: what to answer a repeat with, ids and versions only (threats.md 4)."""

    key: bytes
    digest: bytes
    outcome: bytes


class Commit(Struct, frozen=True, kw_only=True):
    """One command's whole effect."""

    command_id: CommandId
    actor: str
    session_id: SessionId | None
    correlation_id: CorrelationId
    causation_id: EventId | None
    writes: tuple[StreamWrite, ...]
    claims: tuple[ClaimChange, ...] = ()
    idempotency: IdempotencyKey | None = None


class AppendResult(StrEnum):
    DONE = "done"
    LOST_RACE = "lost_race"
    """A stream is not at the expected version: load again, decide again."""
    CLAIM_TAKEN = "claim_taken"
    REPLAYED = "replayed"
    """The idempotency key is known with the same digest; `outcome` is the first answer's."""
    KEY_CONFLICT = "key_conflict"
    """The idempotency key is known with another digest."""


class Appended(Struct, frozen=True, kw_only=True):
    result: AppendResult
    outcome: bytes | None = None


@runtime_checkable
class EventStore(Protocol):
    """Streams, their heads, and the one way to change them.

    `append` has happened, durably and whole, when it returns DONE; on any other result nothing has. Appends for
    different streams never wait for one another. Raises StoreUnavailable when it cannot know.
    """

    async def load(self, streams: Sequence[StreamName]) -> Heads: ...
    async def append(self, commit: Commit) -> Appended: ...
    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]: ...
    async def find_claim(self, candidates: Sequence[ClaimMac]) -> StreamName | None: ...
    async def find_outcome(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Give (digest, outcome) of a known idempotency key."""
        ...


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


class Verified(Struct, frozen=True):
    matches: bool
    outdated: bool
    """The hash was made with weaker parameters than today's."""


@runtime_checkable
class PasswordHasher(Protocol):
    """Argon2id in a bounded pool. Raises Overloaded instead of queueing without end.

    `known_device` may use the part of the queue that is kept for devices that signed in before; `network` is the
    caller's network prefix, which may hold at most an eighth of the queue (threats.md 20).
    """

    def require_room(self, *, network: str | None = None) -> None:
        """Raise Overloaded where a stranger of this network would be turned away now, before anything is read for them."""
        ...

    async def hash(self, password: str, *, network: str | None = None) -> str: ...
    async def verify(self, encoded: str | None, password: str, *, known_device: bool = False, network: str | None = None) -> Verified:
        """With `encoded` None the same work is done for nothing, so that an unknown name costs what a known one does."""
        ...


class GuardReading(Struct, frozen=True, kw_only=True):
    """How a login name stands after counting this attempt."""

    failures: int
    locked_until: datetime | None
    """Until when no further attempt is looked at; None when the next one may come at once."""
    at: datetime
    lock_began: bool = False
    """This very attempt, should it fail, is the one that began the lock: worth an event when the account is real."""
    by_device: bool = False
    """It was counted against the known device's own budget."""
    counting_since: datetime | None = None
    """When the counters were last empty. What was counted before is lost: see `SignInGuard.seed`."""

    @property
    def may_try(self) -> bool:
        """Whether this attempt's password is looked at. The attempt that begins a lock is; those during it are not."""
        return self.locked_until is None or self.lock_began


class AttemptOutcome(StrEnum):
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a name for an outcome, no password
    UNKNOWN_NAME = "unknown_name"
    LOCKED = "locked"
    SUSPENDED = "suspended"


@runtime_checkable
class SignInGuard(Protocol):
    """Counts attempts per login name before the hash, for unknown names too (threats.md 16)."""

    async def admit(self, name_mac: bytes, *, device_mac: bytes | None) -> GuardReading:
        """Count one attempt as failed already; a known device has a budget of its own."""
        ...

    async def forgive(self, name_mac: bytes, *, device_mac: bytes | None) -> None:
        """Empty, after a completed sign-in, the counter that admitted it."""
        ...

    async def take_back(self, name_mac: bytes, *, device_mac: bytes | None, reading: GuardReading) -> None:
        """Uncount an attempt that was admitted and whose password was then not looked at, and lift the lock it began."""
        ...

    async def seed(self, name_mac: bytes, failures: int) -> None:
        """Have at least this many failures counted for a name, whose last lock began before `counting_since`."""
        ...

    async def refused(self, name_mac: bytes, *, user_id: UUID | None, outcome: AttemptOutcome, known_device: bool) -> None:
        """Keep a row of a refused attempt: outside the log, pruned, shown in history as not provable."""
        ...


class AccessClaims(Struct, frozen=True, kw_only=True):
    """What an access token says (RFC 9068). Times are whole seconds since the epoch."""

    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    sid: str
    client_id: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    scope: str
    roles: tuple[str, ...]
    principal: str
    epoch: int
    roles_version: int
    kid: str = ""
    """The key that signed it, once verified. Not a claim: never inside the token."""


@runtime_checkable
class TokenMint(Protocol):
    """Signs access tokens with the active key, and derives the secrets of refresh and device tokens."""

    async def access_token(self, claims: AccessClaims) -> str: ...

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


class PresentedDevice(Struct, frozen=True, kw_only=True):
    user_id: UUID
    epoch: int
    device_id: UUID


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
    def idempotency_key(self, *, principal: str, method: str, route: str, key: str) -> bytes: ...
    def body_digest(self, body: bytes) -> bytes: ...


@runtime_checkable
class BootstrapCodes(Protocol):
    """The one-time code for the first administrator (threats.md 18). Digest only, one hour, five tries."""

    async def issue(self) -> str: ...
    async def redeem(self, code: str) -> bool:
        """Count the try; True when the code is right and alive. It stays alive until the bootstrap is appended."""
        ...


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


class Randomness(Protocol):
    def uuid7(self) -> UUID: ...
    def bytes(self, n: int) -> bytes: ...


class Policy(Struct, frozen=True, kw_only=True):
    """The settings that decisions depend on. Durations are whole seconds."""

    audiences: tuple[str, ...]
    """Audiences a login may name besides `minos`."""
    default_role: str = "user"
    access_token_ttl: int = 300
    refresh_idle_ttl: int = 14 * 86_400
    refresh_absolute_ttl: int = 90 * 86_400
    refresh_grace: int = 10
    registration: str = "open"
    password_min_length: int = 12
    service_name: str = "minos"


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a command may touch."""

    store: EventStore
    vault: Vault
    hasher: PasswordHasher
    guard: SignInGuard
    mint: TokenMint
    macs: Macs
    keys: SigningKeys
    bootstrap: BootstrapCodes
    random: Randomness
    policy: Policy
    origins: SessionOrigins = field(default_factory=SessionOrigins)
