"""The SDK's three feeds against a whole authority: whatever takes a token back is heard by each of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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
    assert (await admin.ask("POST", "/roles", {"name": "reader", "permissions": ["reports.read"]})).status_code in {201, 409}
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


Way = Callable[[Person, Person], Awaitable[httpx.Response]]
WAYS: dict[str, Way] = {
    "an administrator ends the session": lambda admin, who: admin.ask("DELETE", f"/users/{who.user_id}/sessions/{who.session_id}"),
    "an administrator ends all sessions": lambda admin, who: admin.ask("DELETE", f"/users/{who.user_id}/sessions"),
    "the account is deleted": lambda admin, who: admin.ask("DELETE", f"/users/{who.user_id}"),
    "the session is refreshed twice": lambda _, who: reused(who),
}


async def reused(who: Person) -> httpx.Response:
    """Use refresh tokens of before, as a thief does."""
    first = who.tokens["refresh_token"]
    for _ in range(2):
        assert (await who.refresh()).status_code == 200
    answer = await who.refresh(first)
    assert answer.status_code == 401
    return httpx.Response(204)


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_a_persons_token_is_taken_back(
    verifiers: dict[str, Verifier], http: httpx.AsyncClient, admin: Person, way: str
) -> None:
    ada = await reader(http, admin)
    shown = Person(http, ada.email, tokens=dict(ada.tokens))
    assert isinstance(heard(verifiers["nats"], shown), Identity)
    answer = await WAYS[way](admin, ada)
    assert answer.status_code < 300, answer.text
    await until(verifiers["nats"], shown, lambda who: isinstance(who, str))


SERVICE_WAYS = {
    "its tokens are revoked": ("POST", "/service-accounts/{}/revoke-tokens"),
    "it is disabled": ("POST", "/service-accounts/{}/disable"),
    "it is deleted": ("DELETE", "/service-accounts/{}"),
}


@pytest.mark.parametrize("way", [*SERVICE_WAYS, "the one token is revoked"])
async def test_each_way_a_services_token_is_taken_back(running: Running, verifiers: dict[str, Verifier], admin: Person, way: str) -> None:
    made = (
        await admin.ask("POST", "/service-accounts", {"name": "Robot", "audiences": ["reports"], "permissions": ["reports.read"]})
    ).json()
    robot = ClientSecret(made["client_id"], made["client_secret"])
    async with ServiceTokens(running.url, robot) as tokens:
        shown = Person(admin.http, "", tokens={"access_token": await tokens.token("reports")})
    identity = heard(verifiers["nats"], shown)
    assert isinstance(identity, Identity)
    assert (identity.client_id, identity.permissions) == (made["client_id"], frozenset({"reports.read"}))
    if way in SERVICE_WAYS:
        method, path = SERVICE_WAYS[way]
        answer = await admin.ask(method, path.format(made["client_id"]))
    else:
        form = {"token": shown.tokens["access_token"]}
        answer = await admin.http.post("/oauth2/revoke", data=form, auth=(made["client_id"], made["client_secret"]))
    assert answer.status_code < 300, answer.text
    await until(verifiers["nats"], shown, lambda who: isinstance(who, str))


async def test_what_a_role_gives_changes_under_tokens_in_hand(
    verifiers: dict[str, Verifier], http: httpx.AsyncClient, admin: Person
) -> None:
    assert (await admin.ask("POST", "/roles", {"name": "author", "permissions": ["reports.write"]})).status_code == 201
    ada = await register(http)
    assert (await admin.ask("PUT", f"/users/{ada.user_id}/roles/author")).status_code == 204
    ada = await ada.sign_in(audience="reports")
    nats = verifiers["nats"]
    await until(nats, ada, lambda who: isinstance(who, Identity) and who.has_permission("reports.write"))
    changed = await admin.ask("PUT", "/roles/author/permissions", {"permissions": ["reports.sign"]})
    assert changed.status_code < 300, changed.text
    await until(nats, ada, lambda who: isinstance(who, Identity) and who.permissions == frozenset({"reports.sign"}))
    assert (await admin.ask("POST", "/roles/author/retire")).status_code < 300
    await until(nats, ada, lambda who: isinstance(who, Identity) and not who.permissions and not who.has_role("author"))
