"""What stands between a stranger and an account: the hasher, the counters of attempts, the one-time bootstrap code."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from domain.sign_in_guard import PASSWORDS, Patience


class Unusable(StrEnum):
    """Why a stored hash is not computed."""

    UNKNOWN = "hash_unknown"
    TOO_COSTLY = "hash_too_costly"
    TOO_SHORT = "hash_too_short"
    """Chance would make a match."""


class Verified(Struct, frozen=True):
    matches: bool
    outdated: bool
    """The hash was made by another system, or with other parameters than today's."""


@runtime_checkable
class PasswordHasher(Protocol):
    """Argon2id in a bounded pool. Raises Overloaded instead of queueing without end.

    `account` is whose device or token the caller has shown: such callers may use the part of the queue that is kept for them,
    each account some places of it. `network` is the caller's network prefix, which may hold at most an eighth (threats.md 20).
    """

    def require_room(self, *, network: str | None = None) -> None:
        """Raise Overloaded where a stranger of this network would be turned away now, before anything is read for them."""
        ...

    async def hash(self, password: str, *, network: str | None = None) -> str: ...
    async def verify(
        self, encoded: str | None, password: str, *, account: UUID | None = None, network: str | None = None, alike: bool = False
    ) -> Verified:
        """With `encoded` None the same work is done for nothing, so that an unknown name costs what a known one does.

        With `alike` a refusal takes as long as that of any stored hash, however another system made it.
        """
        ...

    def unusable(self, encoded: str) -> Unusable | None:
        """Why a hash from elsewhere could not be verified; None where it can. Computes none."""
        ...


class Advice(Struct, frozen=True):
    """`code` stays, for those who say it in another language."""

    code: str
    text: str


class Strength(Struct, frozen=True, kw_only=True):
    """How hard a password is to guess, for somebody who knows how people choose theirs."""

    score: int
    """From 0, found at once, to 4."""
    guesses_log10: float
    """The power of ten of the tries it takes, about."""
    warning: Advice | None = None
    suggestions: tuple[Advice, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """What to tell its owner, in sentences."""
        return tuple(each.text for each in (self.warning, *self.suggestions) if each is not None)


@runtime_checkable
class PasswordJudge(Protocol):
    """What is known of passwords in the world: which are common, which are easily guessed."""

    def is_listed(self, password: str) -> bool:
        """Whether it, however decorated, is on the list of breached and common ones. Takes microseconds; wrongly yes once in 10,000."""
        ...

    async def strength(self, password: str, *, context: Sequence[str] = (), network: str | None = None) -> Strength:
        """Estimate it, given words its owner is known by. Raises Overloaded: it costs up to what a hash does."""
        ...


class GuardReading(Struct, frozen=True, kw_only=True):
    """How a login name stands after counting this attempt."""

    failures: int
    locked_until: datetime | None
    """Until when no further attempt is looked at; None when the next one may come at once."""
    at: datetime
    lock_began: bool = False
    """This very attempt, should it fail, is the one that began the lock: worth an event when the account is real."""
    own: bytes | None = None
    """The known device or network against whose own budget it was counted; None where it counts against everybody."""
    known_facts: frozenset[bytes] | None = None
    """Which of the facts asked about are known of this name's sign-ins; None before its first."""
    facts_are_fresh: bool = False
    """All of them were remembered within the last day, so they need not be again: most sign-ins look like the one before."""
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


class KeptAttempt(Struct, frozen=True, kw_only=True):
    """A refused sign-in, as it is kept for a while outside the log."""

    at: datetime
    outcome: AttemptOutcome
    known_device: bool


@runtime_checkable
class SignInGuard(Protocol):
    """Counts attempts per login name before the hash, for unknown names too (threats.md 16)."""

    async def admit(
        self,
        name_mac: bytes,
        *,
        device_mac: bytes | None,
        network_mac: bytes | None = None,
        patience: Patience = PASSWORDS,
        facts: Sequence[bytes] = (),
    ) -> GuardReading:
        """Count one attempt as failed already. One name has one `patience`.

        A known device has a budget of its own, and who shows none has that of their network, where the name signed in from it
        lately: strangers who fail on purpose keep nobody out of where they are at home. Says which of `facts` are known of the
        name's completed sign-ins of the last 90 days.
        """
        ...

    async def forgive(
        self, name_mac: bytes, *, device_mac: bytes | None, network_mac: bytes | None = None, facts: Sequence[bytes] = ()
    ) -> None:
        """Empty, after a completed sign-in, the counter that admitted it, know its network from now on, and remember its facts."""
        ...

    async def take_back(self, name_mac: bytes, *, reading: GuardReading) -> None:
        """Uncount an attempt that was admitted and whose password was then not looked at, and lift the lock it began."""
        ...

    async def seed(self, name_mac: bytes, failures: int) -> None:
        """Have at least this many failures counted for a name, whose last lock began before `counting_since`."""
        ...

    async def refused(self, name_mac: bytes, *, user_id: UUID | None, outcome: AttemptOutcome, known_device: bool) -> None:
        """Keep a row of a refused attempt: outside the log, pruned, shown by `explain` as not provable."""
        ...

    async def attempts_of(self, user_id: UUID, *, since: datetime, until: datetime, limit: int) -> Sequence[KeptAttempt]:
        """Give the newest of those rows, newest first, from `since` up to, not including, `until`."""
        ...


@runtime_checkable
class BootstrapCodes(Protocol):
    """The one-time code for the first administrator (threats.md 18). Digest only, one hour, five tries."""

    async def issue(self) -> str: ...
    async def redeem(self, code: str) -> bool:
        """Count the try; True when the code is right and alive. It stays alive until the bootstrap is appended."""
        ...
