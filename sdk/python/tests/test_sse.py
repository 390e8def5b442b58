"""The feed over server-sent events, and how they are read."""

from collections.abc import AsyncIterator

import pytest

from answering import Issuer, ended, is_refused, until, verifier_with
from minos_sdk import SseFeed
from minos_sdk.feeds.sse import Event, events
from minos_sdk.http import Unreachable


async def test_the_stream_tells_as_it_happens(issuer: Issuer) -> None:
    issuer.tell(ended("s1"))
    old, new = (issuer.authority.tokens.user(sid=sid) for sid in ("s1", "s2"))
    async with verifier_with(issuer, SseFeed(issuer)) as verifier:
        assert is_refused(verifier, old)
        await until(lambda: issuer.streams)
        issuer.tell(ended("s2"))
        await until(lambda: is_refused(verifier, new))
        assert issuer.asked[-1].headers["last-event-id"] == "access:1:1,roles.test:1:0"


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
