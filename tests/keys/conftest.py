"""The keys, vaults, guards and codes under test: each port in every implementation."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapters import master_key
from adapters.bootstrap_codes import PostgresBootstrapCodes
from adapters.guard import PostgresGuard
from adapters.keyring import Keyring
from adapters.memory_bootstrap_codes import MemoryBootstrapCodes
from adapters.memory_guard import MemoryGuard
from adapters.memory_store import MemoryEventStore
from adapters.memory_vault import MemoryVault
from adapters.postgres_links import Links
from adapters.signing_secrets import MemorySigningSecrets, PostgresSigningSecrets, SigningSecrets
from adapters.vault import PostgresVault
from adapters.wrapping import Wrapping
from commands.ports import BootstrapCodes, SignInGuard, Vault
from domain.ids import SubjectKeyId
from tests.conftest import Database

MASTER = master_key.of_bytes(b"\x01" * 32)
OTHER_MASTER = master_key.of_bytes(b"\x02" * 32)


class SettableClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def wrapping() -> Wrapping:
    return Wrapping([MASTER])


@pytest.fixture
async def links(database: Database) -> AsyncIterator[Links]:
    opened = Links(database.app_url, size=8)
    yield opened
    await opened.close()


@dataclass(frozen=True)
class VaultUnderTest:
    vault: Vault
    destroy: Callable[[SubjectKeyId], Awaitable[None]]


@pytest.fixture
def memory_vault() -> VaultUnderTest:
    vault = MemoryVault()

    async def destroy(key_id: SubjectKeyId) -> None:
        vault.destroy([key_id])

    return VaultUnderTest(vault, destroy)


@pytest.fixture
def postgres_vault(links: Links, owner: "asyncpg.Connection[asyncpg.Record]", wrapping: Wrapping) -> VaultUnderTest:
    vault = PostgresVault(links, wrapping)

    async def destroy(key_id: SubjectKeyId) -> None:
        await owner.execute("DELETE FROM vault.subject_keys WHERE key_id = $1", key_id)
        vault.forget([key_id])

    return VaultUnderTest(vault, destroy)


@pytest.fixture(params=["memory_vault", "postgres_vault"])
def a_vault(request: pytest.FixtureRequest) -> VaultUnderTest:
    chosen: VaultUnderTest = request.getfixturevalue(request.param)
    return chosen


@dataclass(frozen=True)
class GuardUnderTest:
    guard: SignInGuard
    pass_by: Callable[[float], Awaitable[None]]
    """Let so many seconds go by for the counters."""


@pytest.fixture
def memory_guard(clock: SettableClock) -> GuardUnderTest:
    async def pass_by(seconds: float) -> None:
        clock.pass_by(seconds)

    return GuardUnderTest(MemoryGuard(clock), pass_by)


@pytest.fixture
def postgres_guard(links: Links) -> GuardUnderTest:
    async def pass_by(seconds: float) -> None:
        """The database's clock cannot be set, so its rows are made older instead."""
        await links.run(
            "UPDATE sign_in_guard SET expires_at = expires_at - $1::interval, locked_until = locked_until - $1::interval",
            timedelta(seconds=seconds),
        )

    return GuardUnderTest(PostgresGuard(links), pass_by)


@pytest.fixture(params=["memory_guard", "postgres_guard"])
def guarded(request: pytest.FixtureRequest) -> GuardUnderTest:
    chosen: GuardUnderTest = request.getfixturevalue(request.param)
    return chosen


@dataclass(frozen=True)
class CodesUnderTest:
    codes: BootstrapCodes
    pass_by: Callable[[float], Awaitable[None]]


@pytest.fixture
def memory_codes(clock: SettableClock) -> CodesUnderTest:
    async def pass_by(seconds: float) -> None:
        clock.pass_by(seconds)

    return CodesUnderTest(MemoryBootstrapCodes(clock), pass_by)


@pytest.fixture
def postgres_codes(links: Links) -> CodesUnderTest:
    async def pass_by(seconds: float) -> None:
        await links.run("UPDATE bootstrap_codes SET expires_at = expires_at - $1::interval", timedelta(seconds=seconds))

    return CodesUnderTest(PostgresBootstrapCodes(links), pass_by)


@pytest.fixture(params=["memory_codes", "postgres_codes"])
def issued(request: pytest.FixtureRequest) -> CodesUnderTest:
    chosen: CodesUnderTest = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def memory_secrets() -> SigningSecrets:
    return MemorySigningSecrets()


@pytest.fixture
def postgres_secrets(links: Links, wrapping: Wrapping) -> SigningSecrets:
    return PostgresSigningSecrets(links, wrapping)


@pytest.fixture(params=["memory_secrets", "postgres_secrets"])
def signing_secrets(request: pytest.FixtureRequest) -> SigningSecrets:
    chosen: SigningSecrets = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def store(clock: SettableClock) -> MemoryEventStore:
    return MemoryEventStore(clock)


@pytest.fixture
def keyring(store: MemoryEventStore, clock: SettableClock) -> Keyring:
    return Keyring(MemorySigningSecrets(), store, clock=clock.monotonic)


@pytest.fixture
async def owner(database: Database) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()
