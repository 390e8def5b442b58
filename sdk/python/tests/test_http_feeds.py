"""What both feeds over HTTP have to stand: slow answers, secrets that were replaced, redirects."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from answering import Issuer, until, verifier_with
from minos_sdk import PollingFeed, SseFeed, Verifier
from minos_sdk.feeds.feed import Feed


@pytest.mark.parametrize("make", [SseFeed, lambda source: PollingFeed(source, every=0.01)], ids=["sse", "polling"])
async def test_a_first_snapshot_that_took_long_makes_nobody_blind_and_no_clock_fast(issuer: Issuer, make: Callable[[Issuer], Feed]) -> None:
    """Minos was away for a minute, say, when the token for asking was asked for."""
    clock, token = issuer.authority.clock, issuer.authority.tokens.user(ttl=100)
    waits = [60.0]

    async def slowly(audience: str) -> str:
        clock.advance(waits.pop() if waits else 0)
        return "minos-token"

    issuer.token = slowly  # type: ignore[method-assign]

    def time_goes_on() -> None:
        clock.advance(0.01)
        issuer.beat()

    async with verifier_with(issuer, make(issuer)) as verifier:
        await until(lambda: verifier.freshness.state == "fresh", time_goes_on)
        clock.advance(25)
        await until(lambda: verifier.freshness.state == "fresh", time_goes_on)
        assert verifier.check(token)


class Renewing:
    """Gives the same token until it is told that it was refused, as `ServiceTokens` does."""

    def __init__(self) -> None:
        self.given = "over-before-its-time"
        self.refused: list[str | None] = []

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        return self.given

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        self.refused.append(instead_of)
        self.given = "minos-token"
        return await self.token(audience)


@pytest.mark.parametrize("make", [SseFeed, lambda source: PollingFeed(source, every=0.01)], ids=["sse", "polling"])
async def test_a_service_whose_secret_was_replaced_is_not_blind_until_its_token_ends(issuer: Issuer, make: Callable[[Any], Feed]) -> None:
    """Its tokens were taken back with the old secret; what it holds looks good for minutes yet."""
    answer, source = issuer.answer, Renewing()

    async def strictly(request: httpx.Request) -> httpx.Response:
        over = request.headers.get("authorization") == "Bearer over-before-its-time"
        return httpx.Response(401) if over else await answer(request)

    issuer.http = httpx.AsyncClient(transport=httpx.MockTransport(strictly))
    async with verifier_with(issuer, make(source)) as verifier:
        await until(verifier.ready)
    assert source.refused == ["over-before-its-time"]


async def test_attack_redirect_to_keys_of_somebody_else(issuer: Issuer) -> None:
    """Also where the client that was given would follow it."""
    asked: list[str] = []

    async def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": f"https://evil.test{request.url.path}"})

    for feed in (PollingFeed(issuer, every=0.01), SseFeed(issuer)):
        http = httpx.AsyncClient(transport=httpx.MockTransport(elsewhere), follow_redirects=True)
        authority = issuer.authority
        verifier = Verifier(issuer=authority.issuer, audience="test", feed=feed, http=http)
        async with http:
            await verifier.start(wait=0.05)
            assert not verifier.ready()
            await verifier.close()
    assert set(asked) == {"auth.test"}
