"""Opens everything a command may touch, from the settings, for one process; and closes it in the end."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from adapters import attributes_file
from adapters.access_tokens import AccessTokenVerifier, KeyedMint
from adapters.action_tokens import SealedActionTokens
from adapters.assertions import KeyedAssertions, spent_in
from adapters.bootstrap_codes import PostgresBootstrapCodes
from adapters.event_store import PostgresEventStore
from adapters.factor_secrets import DerivedMailCodes, KeyedRecoveryMacs, SealedChallenges
from adapters.guard import PostgresGuard
from adapters.hashing.hasher import Argon2Hasher, cores
from adapters.hashing.queue import HashMetrics
from adapters.key_holders import Announced
from adapters.keyring import Keyring
from adapters.last_used import PostgresLastUsed
from adapters.limits.totals import PostgresTotals
from adapters.macs import KeyedMacs
from adapters.mail_tokens import DerivedMailTokens
from adapters.mailbox import MailBoxes, PostgresMailbox
from adapters.opaque_tokens import Cursors, StreamVersions
from adapters.passkeys import WebAuthn
from adapters.password_judge import OfflineJudge
from adapters.postgres_links import Links
from adapters.random import SystemRandomness
from adapters.refresh_tokens import DerivedTokens
from adapters.rewrapping import refuse_unknown
from adapters.root_keys import open_root
from adapters.second_place import PlaceAway
from adapters.secrets_store import Secrets, SecretsStore
from adapters.settings import Settings
from adapters.shown_secrets import PostgresShownSecrets
from adapters.signing_secrets import PostgresSigningSecrets
from adapters.store_metrics import StoreMetrics
from adapters.subject_keks import SubjectKeks, subject_keks
from adapters.vault import PostgresVault
from adapters.wrapping import CannotUnwrap, Wrapping
from commands.ports import Policy, Ports
from domain.errors import StoreUnavailable
from domain.signing_key import Algorithm, Purpose

SECRETS_REFRESH_S = 20.0
"""Well below `secrets_store.SETTLED_S`: a new version is known to every process before one uses it."""


class NoDatabase(Exception):
    """The settings name no database to serve from."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The ports, and what the edges need besides: checking tokens, the key set, opaque tokens, sealed fields."""

    ports: Ports
    store: PostgresEventStore
    vault: PostgresVault
    wrapping: Wrapping
    keks: SubjectKeks
    keyring: Keyring
    signals_keyring: Keyring
    internal_keyring: Keyring
    tokens: AccessTokenVerifier
    versions: StreamVersions
    cursors: Cursors
    hasher: Argon2Hasher
    totals: PostgresTotals
    mail_boxes: MailBoxes


@asynccontextmanager
async def open_ports(
    settings: Settings, *, store_metrics: StoreMetrics | None = None, hash_metrics: HashMetrics | None = None
) -> AsyncGenerator[Opened]:
    """Open for as long as the block runs. The database has to be migrated.

    Raises NoDatabase, NoMasterKey, CannotUnwrap when another key wrapped what is stored, KmsAway, PlaceAway, StoreUnavailable.
    """
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    url = settings.database_url.reveal()
    links = Links(url, size=3)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(links.close)
        wrapping = await open_root(settings, links)
        announced = Announced(links, wrapping)
        await announced.announce()
        closing.push_async_callback(_left, announced)
        await refuse_unknown(links, wrapping)
        secrets = SecretsStore(links, wrapping)
        await secrets.open()
        keks = subject_keks(settings, links, wrapping)
        await keks.open()
        store = PostgresEventStore(url, metrics=store_metrics)
        closing.push_async_callback(store.close)
        vault = PostgresVault(links, keks)
        closing.push_async_callback(vault.close)
        hasher = _hasher(settings, hash_metrics)
        closing.callback(hasher.close)
        await closing.enter_async_context(_kept_fresh(announced, secrets, keks))
        last_used = PostgresLastUsed(links)
        await closing.enter_async_context(last_used.kept())
        signing = PostgresSigningSecrets(links, wrapping)
        keyring = Keyring(signing, store, algorithm=Algorithm(settings.signing_algorithm))
        others = {purpose: Keyring(signing, store, purpose=purpose) for purpose in (Purpose.SIGNALS, Purpose.INTERNAL)}
        yield _opened(_Parts(settings, links, store, vault, wrapping, keks, hasher, secrets.secrets, keyring, last_used), others)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the ports are made of."""

    settings: Settings
    links: Links
    store: PostgresEventStore
    vault: PostgresVault
    wrapping: Wrapping
    keks: SubjectKeks
    hasher: Argon2Hasher
    secrets: Secrets
    keyring: Keyring
    last_used: PostgresLastUsed


def _hasher(settings: Settings, metrics: HashMetrics | None) -> Argon2Hasher:
    return Argon2Hasher(
        memory_kib=settings.argon2_memory_kib,
        passes=settings.argon2_passes,
        threads=max(1, cores() // settings.workers),
        metrics=metrics,
    )


def _opened(of: _Parts, others: Mapping[Purpose, Keyring]) -> Opened:
    return Opened(
        ports=_ports(of),
        store=of.store,
        vault=of.vault,
        wrapping=of.wrapping,
        keks=of.keks,
        keyring=of.keyring,
        signals_keyring=others[Purpose.SIGNALS],
        internal_keyring=others[Purpose.INTERNAL],
        tokens=AccessTokenVerifier(of.keyring, issuer=of.settings.issuer),
        versions=StreamVersions(of.secrets),
        cursors=Cursors(of.secrets),
        hasher=of.hasher,
        totals=PostgresTotals(of.links, of.secrets),
        mail_boxes=MailBoxes(of.secrets),
    )


def _ports(of: _Parts) -> Ports:
    settings, links, secrets = of.settings, of.links, of.secrets
    issuer = settings.issuer
    return Ports(
        store=of.store,
        vault=of.vault,
        hasher=of.hasher,
        judge=OfflineJudge(of.hasher),
        guard=PostgresGuard(links),
        mint=KeyedMint(of.keyring, DerivedTokens(secrets), issuer=issuer),
        macs=KeyedMacs(secrets),
        assertions=KeyedAssertions(spent_in(links), audiences=(issuer, f"{issuer}/oauth2/token")),
        keys=of.keyring,
        bootstrap=PostgresBootstrapCodes(links),
        challenges=SealedChallenges(secrets),
        passkeys=WebAuthn(secrets, rp_id=settings.passkey_rp_id, origins=settings.passkey_origins, service=settings.service_name),
        recovery=KeyedRecoveryMacs(secrets),
        random=SystemRandomness(),
        last_used=of.last_used,
        action_tokens=SealedActionTokens(secrets),
        mailbox=PostgresMailbox(links, secrets),
        mail_tokens=DerivedMailTokens(secrets),
        shown_secrets=PostgresShownSecrets(links),
        mail_codes=DerivedMailCodes(secrets),
        policy=policy(settings),
        backups_until=of.keks.backups_until,
    )


def policy(settings: Settings) -> Policy:
    return Policy(
        default_role=settings.default_role,
        access_token_ttl=settings.access_token_ttl,
        refresh_idle_ttl=settings.refresh_idle_ttl,
        refresh_absolute_ttl=settings.refresh_absolute_ttl,
        registration=settings.registration,
        password_min_length=settings.password_min_length,
        password_min_score=settings.password_min_score,
        sessions_per_user=settings.sessions_per_user,
        password_history=settings.password_history,
        invitation_ttl=settings.invitation_ttl,
        attributes=attributes_file.load(settings.attributes_file),
        erasure_wait=settings.erasure_wait,
        restore_period=settings.restore_period,
        barred_names=settings.barred_names,
        service_name=settings.service_name,
        email_verification=settings.email_verification,
        suspicious_sign_in_code=settings.suspicious_sign_in == "ask",
        unverified_sign_in=settings.unverified_sign_in == "allow",
        api_key_ttl=settings.api_key_ttl,
        api_key_max_ttl=settings.api_key_max_ttl,
        key_environment="live" if settings.in_production else "dev",
    )


async def _left(announced: Announced) -> None:
    with suppress(StoreUnavailable):  # it is forgotten in a minute and a half all the same
        await announced.leave()


@asynccontextmanager
async def _kept_fresh(announced: Announced, secrets: SecretsStore, keks: SubjectKeks) -> AsyncGenerator[None]:
    refreshing = asyncio.create_task(_keep_fresh(announced, secrets, keks), name="secrets")
    try:
        yield
    finally:
        refreshing.cancel()
        with suppress(asyncio.CancelledError):
            await refreshing


async def _keep_fresh(announced: Announced, secrets: SecretsStore, keks: SubjectKeks) -> None:
    while True:
        await asyncio.sleep(SECRETS_REFRESH_S)
        try:
            await announced.announce()
            await secrets.refresh()
            await keks.refresh()
        except (StoreUnavailable, CannotUnwrap, PlaceAway) as error:  # what is known goes on serving
            structlog.stdlib.get_logger().warning("secrets_not_refreshed", error=type(error).__name__)
