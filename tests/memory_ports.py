"""Every port in memory, for tests of what commands do: real keys, real hashes of the least cost, and a clock to set."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.access_tokens import AccessTokenVerifier, KeyedMint
from adapters.hasher import Argon2Hasher
from adapters.keyring import Keyring
from adapters.macs import KeyedMacs
from adapters.memory_bootstrap_codes import MemoryBootstrapCodes
from adapters.memory_guard import MemoryGuard
from adapters.memory_store import MemoryEventStore
from adapters.memory_vault import MemoryVault
from adapters.random import SystemRandomness
from adapters.refresh_tokens import DerivedTokens
from adapters.secrets_store import random_secrets
from adapters.signing_secrets import MemorySigningSecrets
from commands.ports import Policy, Ports

ISSUER = "https://id.example.org"


@dataclass(frozen=True, slots=True)
class MemoryWorld:
    """Close `hasher` when done. Keys have to be made and promoted before a token can be signed."""

    ports: Ports
    store: MemoryEventStore
    vault: MemoryVault
    guard: MemoryGuard
    hasher: Argon2Hasher
    keyring: Keyring
    tokens: AccessTokenVerifier


def memory_world(clock: Callable[[], datetime], policy: Policy) -> MemoryWorld:
    secrets = random_secrets()
    store, vault, guard = MemoryEventStore(clock), MemoryVault(), MemoryGuard(clock)
    hasher = Argon2Hasher(memory_kib=64, passes=1, threads=2)
    keyring = Keyring(MemorySigningSecrets(), store)
    ports = Ports(
        store=store,
        vault=vault,
        hasher=hasher,
        guard=guard,
        mint=KeyedMint(keyring, DerivedTokens(secrets), issuer=ISSUER),
        macs=KeyedMacs(secrets),
        keys=keyring,
        bootstrap=MemoryBootstrapCodes(clock),
        random=SystemRandomness(),
        policy=policy,
    )
    tokens = AccessTokenVerifier(keyring, issuer=ISSUER, clock=lambda: clock().timestamp())
    return MemoryWorld(ports, store, vault, guard, hasher, keyring, tokens)
