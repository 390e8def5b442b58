"""A whole Minos in memory: the real hasher, keys, macs and tokens, with the store, vault and guard of tests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from adapters.access_tokens import AccessTokenVerifier, KeyedMint
from adapters.action_tokens import SealedActionTokens
from adapters.assertions import KeyedAssertions, spent_in_memory
from adapters.factor_secrets import DerivedMailCodes, KeyedRecoveryMacs, SealedChallenges
from adapters.hashing.hasher import Argon2Hasher
from adapters.keyring import Keyring
from adapters.macs import KeyedMacs
from adapters.mail_tokens import DerivedMailTokens
from adapters.memory_bootstrap_codes import MemoryBootstrapCodes
from adapters.memory_guard import MemoryGuard
from adapters.memory_last_used import MemoryLastUsed
from adapters.memory_mailbox import MemoryMailbox
from adapters.memory_shown_secrets import MemoryShownSecrets
from adapters.memory_store import MemoryEventStore
from adapters.memory_vault import MemoryVault
from adapters.passkeys import WebAuthn
from adapters.password_judge import OfflineJudge
from adapters.random import SystemRandomness
from adapters.refresh_tokens import DerivedTokens
from adapters.secrets_store import Secrets, random_secrets
from adapters.signing_secrets import MemorySigningSecrets
from commands.audiences import register_audiences
from commands.context import Context, Principal, Repeat
from commands.define_role import define_built_in_roles
from commands.identify import identify
from commands.ports import AccessClaims, Appended, ClaimMac, Commit, EventStore, Heads, Holding, Policy, Ports, StoredEvent
from commands.register_user import RegisterUser, register_user
from commands.sign_in import SignIn, sign_in
from commands.sign_in_challenge import EnrolmentRequired, FactorRequired
from commands.signing_keys import ensure_signing_key
from commands.token_answer import SignedIn
from commands.transact import Read, read_states
from domain import codec, session, user
from domain.decider import Decider
from domain.event import Event
from domain.ids import AudienceName, CorrelationId, SessionId, StreamName, UserId
from domain.signing_key import Algorithm

ISSUER = "https://minos.test"
PASSWORD = "correct horse battery"
SYSTEM = Context(correlation_id=CorrelationId(UUID(int=1)), system="cli")
HOME, ELSEWHERE = "192.0.2.0/24", "203.0.113.0/24"
ANYBODY = Context(correlation_id=CorrelationId(UUID(int=2)), network=HOME, user_agent="curl/8")


class Clock:
    """The database's clock, the guard's and the verifier's: it moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class InterleavedStore:
    """A real store whose callers can be overtaken: others run while it loads and appends, and `overtake` runs once before an append."""

    def __init__(self, inner: EventStore) -> None:
        self.inner = inner
        self.overtake: Callable[[Commit], Awaitable[object]] | None = None

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        heads = await self.inner.load(streams)
        await asyncio.sleep(0)
        return heads

    async def append(self, commit: Commit) -> Appended:
        first, self.overtake = self.overtake, None
        if first is not None:
            await first(commit)
        await asyncio.sleep(0)
        return await self.inner.append(commit)

    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]:
        return await self.inner.read_stream(stream, after_version)

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        found = await self.inner.find_holder(candidates, categories=categories, also=also)
        await asyncio.sleep(0)
        return found

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        return await self.inner.names_of(claims)

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        outcome = await self.inner.find_outcome(key, capped=capped)
        await asyncio.sleep(0)
        return outcome


@dataclass
class World:
    clock: Clock
    memory: MemoryEventStore
    store: InterleavedStore
    vault: MemoryVault
    guard: MemoryGuard
    keyring: Keyring
    secrets: Secrets
    tokens: AccessTokenVerifier
    ports: Ports
    audiences: tuple[str, ...] = ("minos", "tasks", "notes")

    @property
    def log(self) -> list[Event]:
        """Everything that happened, decoded."""
        return [codec.decode_event(e.type, e.payload) for e in self.memory.log]

    def happened(self, *kinds: type[Event]) -> list[Event]:
        return [e for e in self.log if isinstance(e, kinds)]

    def set_policy(self, **changes: Any) -> None:
        self.ports = replace(self.ports, policy=msgspec.structs.replace(self.ports.policy, **changes))

    def use(self, **ports: Any) -> None:
        self.ports = replace(self.ports, **ports)

    async def state(self, of: Decider[Any, Any], stream: StreamName) -> Any:
        read: Read = (of, stream)
        return (await read_states(self.ports, [read])).state(of, stream)

    async def user_of(self, user_id: UserId) -> Any:
        return await self.state(user.decider, user.stream(user_id))

    async def account(self, user_id: UserId) -> user.Account:
        return user.account_of(await self.user_of(user_id))

    async def session_of(self, session_id: SessionId) -> Any:
        return await self.state(session.decider, session.stream(session_id))

    async def claims(self, token: str) -> AccessClaims:
        return await self.tokens.verify(token, audiences=self.audiences)

    async def principal(self, token: str) -> Principal:
        return await identify(await self.claims(token), self.ports)

    async def register(self, name: str, password: str = PASSWORD) -> UserId:
        wish = RegisterUser(email=f"{name}@example.org", username=name, password=password)
        return (await register_user(wish, ANYBODY, self.ports)).result.user_id

    async def sign_in(self, name: str, password: str = PASSWORD, **more: Any) -> SignedIn:
        answer = await self.show_password(name, password, **more)
        assert isinstance(answer, SignedIn)
        return answer

    async def show_password(
        self, name: str, password: str = PASSWORD, *, network: str | None = HOME, **more: Any
    ) -> SignedIn | FactorRequired | EnrolmentRequired:
        ctx = msgspec.structs.replace(ANYBODY, network=network)
        return await sign_in(SignIn(email=f"{name}@example.org", password=password, **more), ctx, self.ports)

    async def ctx(self, signed_in: SignedIn, repeat: Repeat | None = None) -> Context:
        principal = await self.principal(signed_in.access_token)
        return Context(correlation_id=CorrelationId(UUID(int=3)), principal=principal, network="192.0.2.0/24", repeat=repeat)

    async def enter(self, name: str) -> Context:
        """Register and sign in; the context of the new user's requests."""
        await self.register(name)
        return await self.ctx(await self.sign_in(name))

    async def is_live(self, ctx: Context) -> bool:
        assert ctx.principal is not None
        who = await self.account(ctx.principal.user_id)
        return session.is_live(await self.session_of(ctx.principal.session_id), user_epoch=who.token_epoch, at=self.clock.now)


async def make_world(hasher: Argon2Hasher) -> World:
    """Make a world with keys for access tokens and the built-in roles."""
    clock = Clock()
    memory = MemoryEventStore(clock)
    store = InterleavedStore(memory)
    secrets = random_secrets()
    keyring = Keyring(MemorySigningSecrets(), store)
    ports = Ports(
        store=store,
        vault=MemoryVault(memory),
        hasher=hasher,
        judge=OfflineJudge(hasher),
        guard=MemoryGuard(clock),
        mint=KeyedMint(keyring, DerivedTokens(secrets), issuer=ISSUER),
        macs=KeyedMacs(secrets),
        assertions=KeyedAssertions(spent_in_memory(), audiences=(ISSUER, f"{ISSUER}/oauth2/token")),
        keys=keyring,
        bootstrap=MemoryBootstrapCodes(clock),
        challenges=SealedChallenges(secrets),
        passkeys=WebAuthn(secrets, rp_id="minos.test", origins=[ISSUER], service="minos"),
        recovery=KeyedRecoveryMacs(secrets),
        random=SystemRandomness(),
        last_used=MemoryLastUsed(),
        action_tokens=SealedActionTokens(secrets),
        mailbox=MemoryMailbox(clock),
        mail_tokens=DerivedMailTokens(secrets),
        shown_secrets=MemoryShownSecrets(lambda: clock.now),
        mail_codes=DerivedMailCodes(secrets),
        policy=Policy(),
    )
    await ensure_signing_key(Algorithm.ES256, SYSTEM, ports)
    await define_built_in_roles(SYSTEM, ports)
    await register_audiences(map(AudienceName, ("tasks", "notes")), SYSTEM, ports)
    tokens = AccessTokenVerifier(keyring, issuer=ISSUER, clock=clock.timestamp)
    vault, guard = ports.vault, ports.guard
    assert isinstance(vault, MemoryVault)
    assert isinstance(guard, MemoryGuard)
    return World(clock, memory, store, vault, guard, keyring, secrets, tokens, ports)
