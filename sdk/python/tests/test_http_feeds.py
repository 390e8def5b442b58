"""The feeds that need nothing but HTTP, against an issuer that answers in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from minos_sdk import PollingFeed, Revoked, SseFeed, Verifier
from minos_sdk.feeds.feed import Feed
from minos_sdk.feeds.sse import Event, events
from minos_sdk.http import Unreachable
from minos_sdk.testing import Authority, key_set

UNTIL = 4_000_000_000


def ended(session_id: str) -> dict[str, Any]:
    return {"kind": "session", "id": session_id, "until": UNTIL}


class Issuer:
    """Serves key sets, the snapshot and the stream as Minos does, for the service whose token is `minos-token`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.facts: list[dict[str, Any]] = []
        self.asked: list[httpx.Request] = []
        self.away = False
        self.halted_at: float | None = None
        self.age = "0"
        self.streams: list[asyncio.Queue[str | None]] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        return "minos-token"

    def tell(self, fact: dict[str, Any]) -> None:
        self.facts.append(fact)
        signal = self.authority.signals.signal(fact, count=len(self.facts))
        for stream in self.streams:
            stream.put_nowait(f"event: signal\nid: access:1:{len(self.facts)}\ndata: {signal}\n\n")

    def beat(self) -> None:
        for stream in self.streams:
            for name, count in self.counts.items():
                stream.put_nowait(f": comment\nevent: heartbeat\ndata: {self.authority.signals.heartbeat(name, count=count)}\n\n")

    def cut(self) -> None:
        for stream in self.streams:
            stream.put_nowait(None)
        self.streams = []

    @property
    def counts(self) -> dict[str, int]:
        return {"access": len(self.facts), "roles.test": 0}

    def snapshots(self) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path.endswith("/snapshot")]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path == "/.well-known/jwks.json":
            return httpx.Response(200, content=key_set(self.authority.key))
        if path == "/.well-known/signals-jwks.json":
            return httpx.Response(200, content=key_set(self.authority.signals_key))
        assert request.headers["authorization"] == "Bearer minos-token"
        assert request.url.params["audience"] == "test"
        return self._snapshot(request) if path == "/api/v1/signals/snapshot" else self._stream()

    def _snapshot(self, request: httpx.Request) -> httpx.Response:
        known = dict[str, int]()
        for place in filter(None, request.url.params.get("after", "").split(",")):
            name, epoch, count = place.split(":")
            known |= {name: int(count)} if epoch == "1" else {}
        facts = self.facts[known.get("access", 0) :]
        text = self.authority.signals.snapshot(facts, counts=self.counts, after=known, at=self.halted_at)
        return httpx.Response(200, text=text, headers={"Content-Type": "application/jwt", "Age": "0" if known else self.age})

    def _stream(self) -> httpx.Response:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self.streams.append(pieces)

        async def body() -> AsyncIterator[bytes]:
            while (piece := await pieces.get()) is not None:
                yield piece.encode()

        return httpx.Response(200, content=body(), headers={"Content-Type": "text/event-stream"})


@pytest.fixture
async def issuer(minos_authority: Authority) -> AsyncIterator[Issuer]:
    issuer = Issuer(minos_authority)
    yield issuer
    issuer.cut()
    await issuer.http.aclose()


async def until(happened: Callable[[], object], nudge: Callable[[], object] = lambda: None) -> None:
    async with asyncio.timeout(10):
        while not happened():
            nudge()
            await asyncio.sleep(0.005)


def verifier_with(issuer: Issuer, feed: Feed) -> Verifier:
    authority = issuer.authority
    return Verifier(issuer=authority.issuer, audience="test", feed=feed, http=issuer.http, clock=authority.clock)


def is_refused(verifier: Verifier, token: str) -> bool:
    try:
        verifier.check(token)
    except Revoked:
        return True
    return False


async def test_asking_again_finds_what_was_taken_back(issuer: Issuer) -> None:
    issuer.tell(ended("s1"))
    old, new = (issuer.authority.tokens.user(sid=sid) for sid in ("s1", "s2"))
    async with verifier_with(issuer, PollingFeed(issuer, every=0.01)) as verifier:
        assert verifier.ready()
        assert is_refused(verifier, old)
        assert verifier.check(new)
        issuer.tell(ended("s2"))
        await until(lambda: is_refused(verifier, new))


async def test_only_what_came_since_is_asked_for(issuer: Issuer) -> None:
    clock = issuer.authority.clock
    issuer.tell(ended("s1"))
    async with verifier_with(issuer, PollingFeed(issuer, every=0.01)) as verifier:
        asked = len(issuer.snapshots())
        clock.advance(4)
        assert verifier.freshness.state == "late"
        await until(lambda: verifier.freshness.state == "fresh")
        assert len(issuer.snapshots()) > asked
        assert "after" not in issuer.snapshots()[0].url.params
        assert issuer.snapshots()[-1].url.params["after"] == "access:1:1,roles.test:1:0"


async def test_one_that_was_made_for_others_before_makes_nobody_ready(issuer: Issuer) -> None:
    """What came since is asked for at once, and only then something is known."""
    issuer.age = "4"
    issuer.tell(ended("s1"))
    held = asyncio.Event()

    async def until_let_go(request: httpx.Request) -> httpx.Response:
        if "after" in request.url.params:
            await held.wait()
        return await issuer.answer(request)

    issuer.http = httpx.AsyncClient(transport=httpx.MockTransport(until_let_go))
    verifier = verifier_with(issuer, PollingFeed(issuer, every=0.01))
    await verifier.start(wait=0.05)
    assert not verifier.ready()
    issuer.tell(ended("s2"))
    held.set()
    await until(verifier.ready)
    assert is_refused(verifier, issuer.authority.tokens.user(sid="s2"))
    await verifier.close()


async def test_attack_that_nothing_changed_is_not_believed_of_a_feed_that_is_halted(issuer: Issuer) -> None:
    """Nothing is added where nothing is looked at: an unchanged set is then no sign that nobody was revoked."""
    async with verifier_with(issuer, PollingFeed(issuer, every=0.01)) as verifier:
        issuer.halted_at = issuer.authority.clock.time()
        asked = len(issuer.asked)
        issuer.authority.clock.advance(5)
        await until(lambda: len(issuer.asked) > asked + 3)
        assert verifier.freshness.state == "blind"
        issuer.halted_at = None
        await until(lambda: verifier.freshness.state == "fresh")


async def test_attack_that_nothing_changed_is_believed_of_nobody_but_the_issuer(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends TLS on the way could say so for ever, say again what was signed before, or what was said to others."""
    async with verifier_with(issuer, PollingFeed(issuer, every=0.01)) as verifier:
        before = issuer.authority.signals.snapshot([], counts=issuer.counts, after=issuer.counts)
        for text, status in (("", 304), ("x", 200), (before, 200)):
            answer = httpx.Response(status, text=text)
            monkeypatch.setattr(issuer, "_snapshot", lambda _, answer=answer: answer)
            asked = len(issuer.asked)
            issuer.authority.clock.advance(5)
            await until(lambda asked=asked: len(issuer.asked) > asked + 3)
            assert verifier.freshness.state == "blind"
        monkeypatch.undo()
        await until(lambda: verifier.freshness.state == "fresh")


async def test_an_issuer_that_is_away_makes_it_blind_and_one_that_is_back_fresh(issuer: Issuer) -> None:
    async with verifier_with(issuer, PollingFeed(issuer, every=0.01)) as verifier:
        issuer.away = True
        asked = len(issuer.asked)
        await until(lambda: len(issuer.asked) > asked + 1)
        issuer.authority.clock.advance(5)
        assert verifier.freshness.state == "blind"
        issuer.away = False
        await until(lambda: verifier.freshness.state == "fresh")


async def test_a_service_that_starts_before_its_issuer_is_ready_once_that_is_there(issuer: Issuer) -> None:
    issuer.away = True
    verifier = verifier_with(issuer, PollingFeed(issuer, every=0.01))
    await verifier.start(wait=0.05)
    assert not verifier.ready()
    issuer.away = False
    await until(verifier.ready)
    await verifier.close()


async def test_the_stream_tells_as_it_happens(issuer: Issuer) -> None:
    issuer.tell(ended("s1"))
    old, new = (issuer.authority.tokens.user(sid=sid) for sid in ("s1", "s2"))
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        assert is_refused(verifier, old)
        await until(lambda: issuer.streams)
        issuer.tell(ended("s2"))
        await until(lambda: is_refused(verifier, new))
        assert issuer.asked[-1].headers["last-event-id"] == "access:1:1,roles.test:1:0"


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


async def test_heartbeats_of_the_stream_keep_it_fresh(issuer: Issuer) -> None:
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        await until(lambda: issuer.streams)
        issuer.authority.clock.advance(4)
        assert verifier.freshness.state == "late"
        issuer.beat()
        await until(lambda: verifier.freshness.state == "fresh")


async def test_a_cut_stream_goes_on_after_what_is_known(issuer: Issuer) -> None:
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        await until(lambda: issuer.streams)
        issuer.tell(ended("s1"))
        await until(lambda: verifier.metrics()["entries_session"] == 1)
        issuer.cut()
        await until(lambda: issuer.streams)
        assert issuer.asked[-1].headers["last-event-id"] == "access:1:1,roles.test:1:0"


async def test_a_stream_that_was_good_is_opened_anew_at_once_however_often_it_is_cut(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of each token: were the pauses to grow from one to the next, a service would soon be blind after each."""
    monkeypatch.setattr("minos_sdk.feeds.sse._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("minos_sdk.feeds.sse._LAST_PAUSE_S", 1_000.0)
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        for _ in range(12):
            await until(lambda: issuer.streams)
            heard = verifier.metrics().get("signals_heartbeats", 0)
            issuer.beat()
            await until(lambda heard=heard: verifier.metrics().get("signals_heartbeats", 0) > heard)
            issuer.cut()
        await until(lambda: issuer.streams)


async def test_a_heartbeat_that_knows_of_more_is_answered_by_a_snapshot(issuer: Issuer) -> None:
    token = issuer.authority.tokens.user(sid="s1")
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        await until(lambda: issuer.streams)
        issuer.facts.append(ended("s1"))
        issuer.beat()
        await until(lambda: is_refused(verifier, token))


async def test_attack_a_signal_that_does_not_verify_is_not_believed_and_not_passed_over(issuer: Issuer) -> None:
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        await until(lambda: issuer.streams)
        asked = len(issuer.snapshots())
        issuer.streams[0].put_nowait(f"event: signal\ndata: {issuer.authority.tokens.user()}\n\n")
        await until(lambda: len(issuer.snapshots()) > asked)
        assert verifier.metrics()["signals_dropped_type"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>welcome</html>"),
        httpx.Response(302, headers={"Location": "https://evil.test"}),
        httpx.Response(304),
        httpx.Response(403),
    ],
    ids=lambda answer: str(answer.status_code),
)
async def test_attack_what_is_no_snapshot_makes_nobody_ready(issuer: Issuer, answer: httpx.Response) -> None:
    issuer._snapshot = lambda request: answer  # type: ignore[method-assign]
    verifier = verifier_with(issuer, PollingFeed(issuer, every=0.01))
    await verifier.start(wait=0)
    await until(lambda: len(issuer.snapshots()) > 2)
    assert not verifier.ready()
    await verifier.close()


async def test_attack_a_snapshot_without_a_class_makes_nobody_ready(issuer: Issuer) -> None:
    minos_authority = issuer.authority
    receiver = verifier_with(issuer, SseFeed(issuer)).receiver
    partial = minos_authority.signals.snapshot([], counts={"access": 1, "roles.other": 1})
    assert not await receiver.snapshot(partial, asked_at=0)
    assert not receiver.is_ready


async def test_events_are_read_however_they_are_cut_up() -> None:
    text = b"event: signal\r\nid: 1\r\ndata: a\r\n\r\n: ping\n\ndata: b\ndata: c\n\nevent: lost\n\ndata: unfinished"

    async def pieces(size: int) -> AsyncIterator[bytes]:
        for at in range(0, len(text), size):
            yield text[at : at + size]

    for size in (1, 2, 7, 1_000):
        assert [each async for each in events(pieces(size))] == [Event("signal", "a"), Event("message", "b\nc")]


@pytest.mark.parametrize("piece", [b"x" * 10_000, b"data: " + b"x" * 1_000 + b"\n"], ids=["line", "event"])
async def test_attack_a_line_or_event_without_an_end(piece: bytes) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield piece

    with pytest.raises(Unreachable):
        _ = [each async for each in events(endless())]
