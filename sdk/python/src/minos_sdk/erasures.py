"""Whom this service still has to forget, and saying that it has: Minos erased them and waits for every service to do the same."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Self
from uuid import UUID

import httpx

from minos_sdk import calls, given
from minos_sdk.action_tokens import OwnTokens
from minos_sdk.call_errors import CallRefused
from minos_sdk.codes import Code
from minos_sdk.drivers import AsyncDriver
from minos_sdk.ports import was_refused
from minos_sdk.steps import Answered, Plan, Retries, granted

AT_MINOS = "minos"
PATH = "/api/v1/erasures"


class Erasures:
    """As this service's own account, which has `minos` among its audiences and may read its audience's role signals.

    `tokens`: where the account's tokens come from, `ServiceTokens`. `audience`: whose service this is. An RISC `account-purged` signal says
    at once that there is somebody; who was away finds all of them here.
    """

    def __init__(
        self, issuer: str, tokens: OwnTokens, *, audience: str, retries: Retries | None = None, http: httpx.AsyncClient | None = None
    ) -> None:
        given.able("tokens", tokens, "token", wanted="where this service's own tokens come from: ServiceTokens(issuer, credentials)")
        given.text("audience", audience, "an audience's name", shape=given.SLUG)
        if retries is not None:
            given.one_of("retries", retries, Retries, "Retries(...)")
        self._driver = AsyncDriver(issuer, http)
        self._tokens, self._audience = tokens, audience
        self._retries = Retries() if retries is None else retries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def waiting(self) -> AsyncIterator[UUID]:
        """Give the ids of everybody this service has not acknowledged. Raises CallRefused, Unreachable."""
        cursor: str | None = None
        while True:
            page = await self._asked(self._page(cursor))
            for each in page["data"]:
                yield UUID(each["user_id"])
            if (cursor := page["next_cursor"]) is None:
                return

    async def acknowledge(self, user_id: UUID) -> None:
        """Say that nothing of them is left in this service: only once that is so. Safe to repeat. Raises CallRefused, Unreachable."""
        path, body = f"{PATH}/{user_id}/acknowledgements", {"audience": self._audience}
        await self._asked(lambda bearer: calls.request("POST", path, bearer, self._retries, body=body, repeatable=True))

    async def close(self) -> None:
        await self._driver.close()

    def _page(self, cursor: str | None) -> Callable[[str], Plan[Answered]]:
        query = {"audience": self._audience, "limit": 100, "cursor": cursor}
        return lambda bearer: calls.request("GET", f"{PATH}/unacknowledged", bearer, self._retries, query=query)

    async def _asked(self, make: Callable[[str], Plan[Answered]]) -> Any:
        """Once more where this service's own token was refused, which may be over before its time: then nothing was done."""
        bearer = await self._tokens.token(AT_MINOS)
        try:
            return granted(await self._driver.run(make(bearer)))
        except CallRefused as failed:
            if failed.code != Code.INVALID_TOKEN or not await was_refused(self._tokens, AT_MINOS, bearer):
                raise
            return granted(await self._driver.run(make(await self._tokens.token(AT_MINOS))))
