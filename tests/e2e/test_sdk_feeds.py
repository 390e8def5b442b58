"""The SDK's three feeds against a whole authority: whatever takes a token back is heard by each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from bench.running import Running
from minos_sdk import REFUSE, ClientSecret, Feed, Identity, NatsFeed, PollingFeed, Revoked, ServiceTokens, SseFeed, Verifier
from tests.e2e.people import Person, register

FEEDS = ["nats", "sse", "polling"]
PERMISSIONS = ["minos.signals.access", "minos.signals.roles.reports"]


@pytest.fixture(scope="module")
async def verifiers(running: Running, admin: Person) -> AsyncIterator[dict[str, Verifier]]:
    """One with each feed, of one service account that may read what is told about reports."""
    wanted = {"name": "Reports", "audiences": ["reports", "nats", "minos"], "permissions": PERMISSIONS}
    made = (await admin.ask("POST", "/service-accounts", wanted)).json()
    assert (await admin.ask("POST", "/roles", {"name": "reader", "permissions": ["reports.read"]})).status_code == 201
    async with AsyncExitStack() as closing:
        tokens = await closing.enter_async_context(ServiceTokens(running.url, ClientSecret(made["client_id"], made["client_secret"])))
        feeds: dict[str, Feed] = {
            "nats": NatsFeed(running.nats.url, tokens),
            "sse": SseFeed(tokens),
            "polling": PollingFeed(tokens, every=0.2),
        }
        yield {
            name: await closing.enter_async_context(Verifier(issuer=running.url, audience="reports", feed=feed, on_blind=REFUSE))
            for name, feed in feeds.items()
        }


async def reader(http: httpx.AsyncClient, admin: Person) -> Person:
    ada = await register(http)
    assert (await admin.ask("PUT", f"/users/{ada.user_id}/roles/reader")).status_code == 204
    return await ada.sign_in(audience="reports")


def heard(verifier: Verifier, who: Person) -> Identity | str:
    try:
        return verifier.check(who.tokens["access_token"])
    except Revoked as refused:
        return refused.reason


async def until(verifier: Verifier, who: Person, happened: Callable[[Identity | str], bool]) -> None:
    async with asyncio.timeout(10):
        while not happened(heard(verifier, who)):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_role_gives_what_it_gives_until_it_is_lost(
    verifiers: dict[str, Verifier], http: httpx.AsyncClient, admin: Person, feed: str
) -> None:
    verifier, ada = verifiers[feed], await reader(http, admin)
    await until(verifier, ada, lambda who: isinstance(who, Identity) and who.has_permission("reports.read"))
    assert (await admin.ask("DELETE", f"/users/{ada.user_id}/roles/reader")).status_code == 204
    await until(verifier, ada, lambda who: isinstance(who, Identity) and who.roles == frozenset({"user"}) and not who.permissions)


@pytest.mark.parametrize("feed", FEEDS)
async def test_who_signs_out_is_out(verifiers: dict[str, Verifier], http: httpx.AsyncClient, admin: Person, feed: str) -> None:
    verifier, ada = verifiers[feed], await reader(http, admin)
    elsewhere = await ada.sign_in(audience="reports")
    assert (await ada.ask("POST", "/auth/logout", {})).status_code == 204
    await until(verifier, ada, lambda who: who == "revoked_session")
    assert isinstance(heard(verifier, elsewhere), Identity)


@pytest.mark.parametrize("feed", FEEDS)
async def test_who_is_suspended_is_out_everywhere(
    verifiers: dict[str, Verifier], http: httpx.AsyncClient, admin: Person, feed: str
) -> None:
    verifier, ada = verifiers[feed], await reader(http, admin)
    answer = await admin.ask("POST", f"/users/{ada.user_id}/suspend", {"reason": "administrative"})
    assert answer.status_code < 300, answer.text
    await until(verifier, ada, lambda who: isinstance(who, str))


@pytest.mark.parametrize("feed", FEEDS)
async def test_each_feed_says_that_it_is_fresh_and_drops_nothing(verifiers: dict[str, Verifier], feed: str) -> None:
    metrics = verifiers[feed].metrics()
    assert verifiers[feed].freshness.state == "fresh"
    assert [name for name in metrics if name.startswith(("signals_dropped", "signals_unknown"))] == []
