"""API keys in code without a loop, which has no feed either: so nothing good is kept, and every call asks."""

import threading
from typing import Self

import httpx

from minos_sdk import given
from minos_sdk.api_keys import identity_of, is_written
from minos_sdk.client_credentials import ClientCredentials
from minos_sdk.errors import InvalidToken
from minos_sdk.identity import Identity
from minos_sdk.introspection import SyncIntrospection
from minos_sdk.known_keys import KnownKeys, digest_of
from minos_sdk.ports import monotonic


class SyncApiKeys:
    """As ApiKeys without a verifier. Threads may share one."""

    def __init__(self, issuer: str, audience: str, credentials: ClientCredentials, *, http: httpx.Client | None = None) -> None:
        given.audience("audience", audience)
        self._minos = SyncIntrospection(issuer, credentials, http=http)
        self.audience = audience
        self._known = KnownKeys()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def identify(self, key: str) -> Identity:
        """Raises InvalidToken, and CredentialUnknown while Minos does not answer."""
        if not is_written(key):
            raise InvalidToken
        digest, now = digest_of(key), monotonic()
        with self._lock:
            if self._known.is_bad(digest, now=now):
                raise InvalidToken
        identity = identity_of(self._minos.introspect(key), self.audience)
        if identity is None:
            with self._lock:
                self._known.keep_bad(digest, now=now)
            raise InvalidToken
        return identity

    def close(self) -> None:
        self._minos.close()
