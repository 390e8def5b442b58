"""The SDK's feeds that need nothing but HTTP, against the application as it is served: no NATS anywhere."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from msgspec import structs

from adapters.signal_sets import SignalSigner
from api.app import create
from commands.context import Context
from commands.service_tokens import IssueServiceToken, issue_service_token
from domain.ids import ClientId, CorrelationId
from minos_sdk import PollingFeed, Revoked, SseFeed, Verifier
from minos_sdk.feeds.feed import Feed
from minos_sdk.ports import SystemClock
from tests.api.conftest import BASE, Person, Served, lifespan, settings_for, until_open
from tests.api.listening import change_class, opened, snapshot
from tests.api.within import Within
from tests.conftest import Database
from workers.hints import Hint
from workers.signals.folder import Folder, Lead

FEEDS: dict[str, Callable[["Source"], Feed]] = {"stream": SseFeed, "polling": lambda source: PollingFeed(source, every=0.05)}


class Source:
    """minos_sdk.ports.TokenSource: tokens of a service account that may hear what concerns an audience."""

    def __init__(self, served: Served, concerns: str = "orders") -> None:
        self._served = served
        self._right = f"minos.signals.roles.{concerns}"
        self.next: str | None = None
        self.given = 0

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        self.given += 1
        token, self.next = self.next, None
        return token or await self._served.machine("minos.signals.access", self._right)


class Clock(SystemClock):
    """Of this machine, and ahead where a test would have to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0
        now = self.monotonic
        self.monotonic = lambda: now() + self.ahead


class Teller:
    """The worker that tells, as long as `is_working` is set."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._one = asyncio.Lock()
        self.is_over = False
        self.is_working = asyncio.Event()
        self.is_working.set()
        world = served.world
        signer = SignalSigner(world.signals_keyring, BASE)
        store: Any = served.world.ports.store
        self.folder = Folder(
            served.database.app_url, store, signer, Lead(), life=300, hint=Hint(), changed=lambda: None
        )  # fmt: skip

    async def run(self) -> None:
        while not self.is_over:
            await self.is_working.wait()
            await self.tell()
            await asyncio.sleep(0.02)

    async def end(self, running: asyncio.Task[None]) -> None:
        """Without breaking off what it is at: what it projects with is everybody's."""
        self.is_over = True
        self.is_working.set()
        await running
        await self.folder.close()

    async def stop(self) -> None:
        self.is_working.clear()
        async with self._one:
            return

    async def tell(self) -> None:
        """Fold all there is, and say so."""
        async with self._one:
            if not self.is_working.is_set():
                return
            await self._served.project()
            await self.folder._outbox.begin()
            await self.folder.beat()
            while await self.folder.step():
                pass
            await self.folder.beat()


@pytest.fixture
async def teller(served: Served) -> AsyncIterator[Teller]:
    teller = Teller(served)
    await teller.tell()
    telling = asyncio.create_task(teller.run())
    yield teller
    await teller.end(telling)


@pytest.fixture
def way(served: Served) -> Within:
    return Within(served.edge)


@pytest.fixture
async def http(way: Within) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=way) as http:
        yield http


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for elsewhere is asked for at once here."""
    monkeypatch.setattr("api.snapshots.REUSED_SECONDS", 0.0)
    monkeypatch.setattr("api.signals_now.WAIT_SECONDS", 0.2)
    monkeypatch.setattr("api.signal_listener.LOOKED_AT_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr("api.signal_hub.BEAT_SECONDS", 0.0)
    monkeypatch.setattr("api.signal_hub.LATEST_BEAT_SECONDS", 0.05)


async def visitor(served: Served, admin: Person, *roles: str) -> Person:
    """Somebody signed in to the orders."""
    person = await served.person(sign_in=False)
    for role in roles:
        await admin.ask("POST", "/roles", json={"name": role, "permissions": [f"orders.{role}"]})
        assert (await admin.ask("PUT", f"/users/{person.user_id}/roles/{role}")).status_code == 204
    await person.sign_in(audience="orders")
    return person


def verifier_of(feed: Feed, http: httpx.AsyncClient, **more: Any) -> Verifier:
    return Verifier(issuer=BASE, audience="orders", feed=feed, http=http, **more)


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Robot:
    """With a service token."""

    client_id: str
    access: str


def refuses(verifier: Verifier, who: Person | Robot) -> bool:
    try:
        verifier.check(who.access)
    except Revoked:
        return True
    return False


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_session_that_ended_is_refused_and_the_next_is_not(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, feed: str
) -> None:
    ada, eve = await visitor(served, admin), await visitor(served, admin)
    async with verifier_of(FEEDS[feed](Source(served)), http) as verifier:
        assert (await verifier.verify(ada.access)).user_id == ada.user_id
        assert (await ada.ask("POST", "/auth/logout")).status_code == 204
        await teller.tell()
        await until(lambda: refuses(verifier, ada))
        await ada.sign_in(audience="orders")
        assert await verifier.verify(ada.access)
        assert await verifier.verify(eve.access)


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_role_that_was_lost_gives_nothing_any_more(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, feed: str
) -> None:
    ada = await visitor(served, admin, "stocktaker")
    await teller.tell()
    async with verifier_of(FEEDS[feed](Source(served)), http) as verifier:
        assert (await verifier.verify(ada.access)).has_permission("orders.stocktaker")
        await admin.ask("DELETE", f"/users/{ada.user_id}/roles/stocktaker")
        await teller.tell()
        await until(lambda: "stocktaker" not in verifier.check(ada.access).roles)
        assert not verifier.check(ada.access).has_permission("orders.stocktaker")


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_service_that_starts_later_knows_what_ended_before(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, feed: str
) -> None:
    ada = await visitor(served, admin)
    await ada.ask("POST", "/auth/logout")
    await teller.tell()
    async with verifier_of(FEEDS[feed](Source(served)), http) as verifier:
        await verifier.verify((await visitor(served, admin)).access)
        assert refuses(verifier, ada)


@pytest.mark.parametrize("feed", FEEDS)
async def test_attack_a_teller_that_stopped_leaves_nobody_believing_that_all_is_known(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, feed: str
) -> None:
    """The API answers all the same, and says of nothing that it is newer than it is."""
    clock, told = Clock(), {"stream": "signals_heartbeats", "polling": "signals_snapshots"}[feed]
    async with verifier_of(FEEDS[feed](Source(served)), http, clock=clock) as verifier:
        await until(lambda: verifier.freshness.state == "fresh" and told in verifier.metrics())
        await teller.stop()
        await visitor(served, admin)
        before = verifier.metrics()[told]
        clock.ahead += 5
        await until(lambda: verifier.metrics()[told] > before + 4)
        assert verifier.freshness.state == "blind"
        teller.is_working.set()
        await until(lambda: verifier.freshness.state == "fresh")


async def test_what_was_committed_before_somebody_asks_is_in_the_answer(
    served: Served, admin: Person, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon they ask: a service that has just started knows all that happened before."""
    monkeypatch.setattr("api.signals_now.WAIT_SECONDS", 5.0)
    listener, ada = await served.machine("minos.signals.*"), await visitor(served, admin)
    await ada.ask("POST", "/auth/logout")
    answer = await snapshot(served, listener)
    assert "age" not in answer.headers
    assert ada.session_id in {each["id"] for each in (await opened(served, answer.text, "minos-snapshot+jwt"))["facts"]}
    await teller.stop()
    monkeypatch.setattr("api.signals_now.WAIT_SECONDS", 0.0)
    await visitor(served, admin)
    assert (await snapshot(served, listener)).headers["age"] == "1"


async def test_what_happened_while_the_api_was_away_is_heard_when_it_is_back(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, way: Within
) -> None:
    """Another process takes over; it goes on where the stream was, without a second snapshot."""
    ada = await visitor(served, admin)
    async with verifier_of(SseFeed(Source(served)), http) as verifier:
        await verifier.verify(ada.access)
        await until(lambda: way.of("/stream"))
        await way.lose()
        await ada.ask("POST", "/auth/logout")
        await teller.tell()
        assert not refuses(verifier, ada)
        again = create(structs.replace(settings_for(served.database, served.world.settings.data_dir), access_token_ttl=1801))
        async with lifespan(again):
            await until_open(again)
            assert await served.world.pool.fetchval("SELECT life FROM signal_feed") == 1801
            way.edge = again
            await until(lambda: refuses(verifier, ada))
            assert len(way.of("/snapshot")) == 1
            await verifier.close()


async def test_another_epoch_costs_a_snapshot_and_no_stream_of_everything(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, way: Within
) -> None:
    """As when NATS was replaced, or signals have another key: every service begins anew at once."""
    ada = await visitor(served, admin)
    async with verifier_of(SseFeed(Source(served)), http) as verifier:
        await until(lambda: way.of("/stream"))
        await change_class(served, "epoch = epoch + 1")
        await until(lambda: len(way.of("/stream")) > 1)
        assert len(way.of("/snapshot")) == 2
        epoch = (await served.world.telling.hub.states(["access"]))["access"].epoch
        assert way.of("/stream")[-1].headers["last-event-id"].startswith(f"access:{epoch}:")
        await ada.ask("POST", "/auth/logout")
        await teller.tell()
        await until(lambda: refuses(verifier, ada))
        assert verifier.freshness.state == "fresh"


async def test_a_stream_that_ends_with_its_token_goes_on_with_the_next(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient, way: Within
) -> None:
    source, ada = Source(served), await visitor(served, admin)
    async with verifier_of(SseFeed(source), http) as verifier:
        await verifier.verify(ada.access)
        claims = await served.world.tokens.verify(await source.token("minos"), audiences=None)
        # The 30 seconds that clocks may differ by are nearly over.
        source.next = await served.world.ports.mint.access_token(structs.replace(claims, iat=claims.iat - 300, exp=claims.iat - 28))
        await until(lambda: way.of("/stream"))
        for answer in list(way.open):
            answer.pieces.put_nowait(None)  # the connection is lost, and the next has the token that is nearly over
        given = source.given
        await until(lambda: source.given > given + 1)
        await ada.ask("POST", "/auth/logout")
        await teller.tell()
        await until(lambda: refuses(verifier, ada))
        assert verifier.freshness.state == "fresh"


@pytest.fixture(autouse=True)
def of_the_same_database(api_database: Database, served: Served) -> None:
    assert served.database is api_database


async def service_token(served: Served, admin: Person, *permissions: str) -> Robot:
    """Make a service account of the kiln's, and give it a token of 90 days."""
    body = {"name": "Stoker", "audiences": ["kiln"], "permissions": permissions}
    client_id = ClientId((await admin.ask("POST", "/service-accounts", json=body)).json()["client_id"])
    ports = served.world.ports
    ctx = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="cli")
    issued = await issue_service_token(IssueServiceToken(client_id=client_id, ttl=90 * 86_400), ctx, ports)
    return Robot(client_id, issued.result.token)


async def taken_by_minos(served: Served, robot: Robot) -> bool:
    bearer = {"Authorization": f"Bearer {robot.access}"}
    return (await served.http.get("/api/v1/auth/check", params={"audience": "kiln"}, headers=bearer)).status_code == 200


async def test_attack_a_token_of_weeks_is_shown_where_its_audience_does_not_want_it_any_more(
    served: Served, admin: Person, teller: Teller, http: httpx.AsyncClient
) -> None:
    """Minos refuses it from then on, and so does a service that asks nobody."""
    rules: dict[str, object] = {"permissions": ["kiln.read", "kiln.fire"]}
    assert (await admin.ask("POST", "/audiences", json={"name": "kiln", **rules})).status_code == 201
    kept, outsider = await service_token(served, admin, "kiln.read"), await service_token(served, admin, "kiln.read")
    rich = await service_token(served, admin, "kiln.read", "kiln.fire")
    await teller.tell()
    feed = PollingFeed(Source(served, "kiln"), every=0.05)
    async with Verifier(issuer=BASE, audience="kiln", feed=feed, http=http) as verifier:
        for robot in (kept, outsider, rich):
            assert (await verifier.verify(robot.access)).principal == "service"
        await admin.ask("PUT", "/audiences/kiln", json={**rules, "clients": [kept.client_id, rich.client_id]})
        await teller.tell()
        await until(lambda: refuses(verifier, outsider))
        assert [await taken_by_minos(served, robot) for robot in (kept, outsider)] == [True, False]
        assert not refuses(verifier, rich)
        await admin.ask("PUT", "/audiences/kiln", json={"permissions": ["kiln.read"]})
        await teller.tell()
        await until(lambda: refuses(verifier, rich))
        assert not refuses(verifier, kept)
        await admin.ask("POST", "/audiences/kiln/retire")
        await teller.tell()
        await until(lambda: refuses(verifier, kept))
        assert not await taken_by_minos(served, kept)
