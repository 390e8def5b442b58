"""Asking Minos what a token or key is worth at this moment (RFC 7662), as a service account that proves itself."""

import logging
from collections.abc import Mapping
from typing import Self

import httpx

from minos_sdk import calls
from minos_sdk.call_errors import CallFailed, CallRefused
from minos_sdk.client_credentials import ClientCredentials
from minos_sdk.drivers import AsyncDriver, SyncDriver
from minos_sdk.refusals import CredentialUnknown
from minos_sdk.steps import Retries

_log = logging.getLogger("minos_sdk")
_QUICK = Retries(times=2, first_s=0.05, longest_s=0.2)
"""Somebody waits for the answer."""


class Introspection:
    """minos_sdk.ports.Introspector. Minos answers only about credentials for audiences that the service account has."""

    def __init__(
        self, issuer: str, credentials: ClientCredentials, *, retries: Retries = _QUICK, http: httpx.AsyncClient | None = None
    ) -> None:
        calls.check_service(credentials, retries)
        self._driver = AsyncDriver(issuer, http)
        self._issuer = issuer
        self._credentials = credentials
        self._retries = retries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def introspect(self, token: str) -> Mapping[str, object]:
        """Raises CredentialUnknown when there is no answer, or Minos does not answer this service."""
        try:
            return await self._driver.run(calls.introspect(token, self._credentials, self._issuer, self._retries))
        except CallFailed as failed:
            raise _unknown(failed) from None

    async def close(self) -> None:
        await self._driver.close()


class SyncIntrospection:
    """As Introspection, for code without a loop. Threads may share one."""

    def __init__(self, issuer: str, credentials: ClientCredentials, *, retries: Retries = _QUICK, http: httpx.Client | None = None) -> None:
        calls.check_service(credentials, retries)
        self._driver = SyncDriver(issuer, http)
        self._issuer = issuer
        self._credentials = credentials
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def introspect(self, token: str) -> Mapping[str, object]:
        """Raises CredentialUnknown when there is no answer, or Minos does not answer this service."""
        try:
            return self._driver.run(calls.introspect(token, self._credentials, self._issuer, self._retries))
        except CallFailed as failed:
            raise _unknown(failed) from None

    def close(self) -> None:
        self._driver.close()


def _unknown(failed: CallFailed) -> CredentialUnknown:
    if isinstance(failed, CallRefused):
        _log.error("Minos refuses this service's questions about credentials: %s", failed.code)
    return CredentialUnknown()
