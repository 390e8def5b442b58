"""A service's own tokens: asked for once, given again while they last, and renewed ahead of their end."""

from collections.abc import Sequence
from typing import Self

import httpx

from minos_sdk import calls, given
from minos_sdk.answers_of_minos import Granted
from minos_sdk.client_credentials import ClientCredentials
from minos_sdk.drivers import AsyncDriver, SyncDriver
from minos_sdk.held import AsyncHeld, Ending, SyncHeld
from minos_sdk.steps import Retries


class ServiceTokens:
    """Tokens by audience, with `scope` or all that the service account may do there. `token` raises CallRefused, Unreachable.

    Asked for by one call at a time, however many wait. In the last fifth of its life a token is renewed while it goes on being given.
    """

    def __init__(
        self,
        issuer: str,
        credentials: ClientCredentials,
        *,
        scope: Sequence[str] = (),
        retries: Retries | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        calls.check_service(credentials, retries, scope)
        self._driver = AsyncDriver(issuer, http, rarely=True)
        self._issuer = issuer
        self._credentials = credentials
        self._scope = tuple(scope)
        self._retries = retries or Retries()
        self._held: dict[str, AsyncHeld[Granted]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"ServiceTokens({self._credentials.client_id})"

    async def token(self, audience: str) -> str:
        return (await self._of(audience).get()).access_token

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        """Ask for a new one, since the one before was refused, unless somebody did so just now: `instead_of` is that one, then."""
        held = self._of(audience)
        return _other_than(instead_of, held.held) or (await held.renewed()).value.access_token

    async def close(self) -> None:
        await self._driver.close()

    def _of(self, audience: str) -> AsyncHeld[Granted]:
        if audience not in self._held:
            given.audience("audience", audience)

            async def renew(_: Ending[Granted] | None) -> Ending[Granted]:
                return await self._driver.run(calls.client_token(self._credentials, self._issuer, audience, self._scope, self._retries))

            self._held[audience] = AsyncHeld(renew)
        return self._held[audience]


class SyncServiceTokens:
    """As ServiceTokens, for code without a loop. Threads may share one."""

    def __init__(
        self,
        issuer: str,
        credentials: ClientCredentials,
        *,
        scope: Sequence[str] = (),
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        calls.check_service(credentials, retries, scope)
        self._driver = SyncDriver(issuer, http, rarely=True)
        self._issuer = issuer
        self._credentials = credentials
        self._scope = tuple(scope)
        self._retries = retries or Retries()
        self._held: dict[str, SyncHeld[Granted]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SyncServiceTokens({self._credentials.client_id})"

    def token(self, audience: str) -> str:
        return self._of(audience).get().access_token

    def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        """Ask for a new one, since the one before was refused, unless somebody did so just now: `instead_of` is that one, then."""
        held = self._of(audience)
        return _other_than(instead_of, held.held) or held.renewed().value.access_token

    def close(self) -> None:
        self._driver.close()

    def _of(self, audience: str) -> SyncHeld[Granted]:
        given.audience("audience", audience)

        def renew(_: Ending[Granted] | None) -> Ending[Granted]:
            return self._driver.run(calls.client_token(self._credentials, self._issuer, audience, self._scope, self._retries))

        return self._held.setdefault(audience, SyncHeld(renew))


def _other_than(refused: str | None, held: Ending[Granted] | None) -> str | None:
    return None if refused is None or held is None or held.value.access_token == refused else held.value.access_token
