"""The feed that asks again and again, and the answers it gets."""

import asyncio

import httpx
import pytest

from answering import Issuer, ended, is_refused, until, verifier_with
from minos_sdk import PollingFeed, SseFeed


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
