"""API keys, judged by asking Minos (RFC 7662), which is asked once for what it said within half a minute."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol, Self
from zlib import crc32

import httpx

from minos_sdk import given
from minos_sdk.client_credentials import ClientCredentials
from minos_sdk.errors import InvalidToken
from minos_sdk.facts import ApiKeyRevoked, ClientEpoch, Fact, RoleGives, UserEpoch, UserRoles
from minos_sdk.identity import Identity
from minos_sdk.introspection import Introspection
from minos_sdk.known_keys import ROLES, KnownKeys, digest_of, ties_of
from minos_sdk.ports import StopCalling, monotonic
from minos_sdk.refusals import CredentialUnknown

_SHAPE = re.compile(r"mk_[a-z]{1,8}_[0-9a-f]{32}_[0-9A-Za-z]{49}")
_ASKED_AT_MOST = 3
_MOST_STRANGERS = 32
"""Questions at a time about keys that were never good here: anybody can make up as many as they like."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class HearsRevocations(Protocol):
    """What `Verifier` does, as far as it is asked here."""

    @property
    def is_blind(self) -> bool: ...

    def on_revoked(self, callback: Callable[[Fact], None]) -> Callable[[], None]: ...


class ApiKeys:
    """Keys for one audience. `credentials`: of a service account that has it, since Minos answers nobody about keys for others.

    With a verifier an answer is kept for 30 s at most, until a signal about the key, its person or its client, and not at all while
    the feed is blind. Without one every call asks. What is no key is kept for ten seconds. For one event loop.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        credentials: ClientCredentials,
        *,
        verifier: HearsRevocations | None = None,
        known: KnownKeys | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        given.audience("audience", audience)
        if verifier is not None:
            given.able("verifier", verifier, "on_revoked", wanted="a Verifier(...), for what it hears")
        if known is not None:
            given.one_of("known", known, KnownKeys, "KnownKeys(...)")
        self._minos = Introspection(issuer, credentials, http=http)
        self.issuer, self.audience = issuer, audience
        given.alike(api_keys=self, verifier=verifier)
        self._verifier = verifier
        self._known = KnownKeys() if known is None else known
        self._asked: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._strangers: set[bytes] = set()
        self._stop_hearing: StopCalling | None = None
        self._hear()

    async def __aenter__(self) -> Self:
        self._hear()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def identify(self, key: str) -> Identity:
        """Raises InvalidToken, and CredentialUnknown while Minos does not answer."""
        if not is_written(key):
            raise InvalidToken
        digest, now = digest_of(key), monotonic()
        if self._is_deaf():
            self._known.clear()
        identity = self._known.good(digest, now=now)
        if identity is not None:
            return identity
        if self._known.is_bad(digest, now=now):
            raise InvalidToken
        identity = await self._ask_once(key, digest)
        if identity is None:
            raise InvalidToken
        return identity

    async def close(self) -> None:
        """What is signalled from now on is not heard, so nothing is believed any more."""
        if self._stop_hearing is not None:
            self._stop_hearing()
            self._stop_hearing = None
        self._known.clear()
        await self._minos.close()

    def _hear(self) -> None:
        if self._verifier is not None and self._stop_hearing is None:
            self._stop_hearing = self._verifier.on_revoked(self._drop)

    async def _ask_once(self, key: str, digest: bytes) -> Identity | None:
        """Many calls with one key ask one question. It goes on for the others where one of them is cancelled."""
        task = self._asked.get(digest)
        if task is None:
            if not self._known.was_good(digest):
                if len(self._strangers) >= _MOST_STRANGERS:
                    raise CredentialUnknown
                self._strangers.add(digest)
            task = self._asked[digest] = asyncio.create_task(self._ask(key, digest))
            task.add_done_callback(lambda done: self._answered(digest, done))
        return await asyncio.shield(task)

    def _answered(self, digest: bytes, task: "asyncio.Task[Identity | None]") -> None:
        del self._asked[digest]
        self._strangers.discard(digest)
        if not task.cancelled():
            task.exception()

    async def _ask(self, key: str, digest: bytes) -> Identity | None:
        """An answer that a signal about it overtook may be from before, and is not for who came after. Raises CredentialUnknown."""
        for _ in range(_ASKED_AT_MOST):
            now = monotonic()
            with self._known.asking() as asking:
                identity = identity_of(await self._minos.introspect(key), self.audience)
            if identity is None:
                self._known.keep_bad(digest, now=now)
                return None
            if not asking.signalled & ties_of(identity):
                self._known.note_good(digest)
                self._keep(digest, identity, now)
                return identity
        raise CredentialUnknown

    def _keep(self, digest: bytes, identity: Identity, now: float) -> None:
        if not self._is_deaf():
            lasts = 0.0 if identity.expires_at is None else identity.expires_at - time.time()
            self._known.keep(digest, identity, now=now, lasts_s=lasts)

    def _is_deaf(self) -> bool:
        """Whether a signal about a key would not be heard of."""
        return self._verifier is None or self._stop_hearing is None or self._verifier.is_blind

    def _drop(self, fact: Fact) -> None:
        match fact:
            case ApiKeyRevoked():
                self._known.drop(("api_key", fact.key_id))
            case UserEpoch() | UserRoles():
                self._known.drop(("user", fact.user_id))
            case ClientEpoch():
                self._known.drop(("client", fact.client_id))
            case RoleGives():
                self._known.drop(ROLES)
            case _:
                pass


def is_written(key: str) -> bool:
    """Tell whether this has the shape and the checksum of a key: what was mistyped or made up costs no question."""
    if len(key) > 128 or _SHAPE.fullmatch(key) is None:
        return False
    number, digits = crc32(key[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits == key[-6:]


def identity_of(told: Mapping[str, object], audience: str) -> Identity | None:
    """Read what Minos said of a key; None for what is no key, not good, or for another audience."""
    if told.get("active") is not True or told.get("token_type") != "api_key" or told.get("aud") != audience:
        return None
    subject, scopes = str(told["sub"]), frozenset(str(told.get("scope", "")).split())
    issued_at, expires_at = told.get("iat"), told.get("exp")
    return Identity(
        principal="api_key",
        subject=subject,
        user_id=subject if told.get("principal") == "user" else None,
        client_id=subject if told.get("principal") == "service" else None,
        key_id=str(told["jti"]),
        audience=audience,
        permissions=scopes,
        scopes=scopes,
        issued_at=issued_at if isinstance(issued_at, int) else None,
        expires_at=expires_at if isinstance(expires_at, int) else None,
    )
