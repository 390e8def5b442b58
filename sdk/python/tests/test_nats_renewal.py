"""When a connection to NATS is replaced: ahead of its token's end, whatever the clock here says."""

import asyncio
from typing import Any, cast

import httpx
import pytest

from minos_sdk import NatsFeed
from minos_sdk.feeds.nats_connection import Connection, Lost, Refused, _renewal
from minos_sdk.feeds.nats_login import Entry, TokenLogin, _left
from minos_sdk.feeds.nats_servers import Servers
from minos_sdk.feeds.reading import Reading
from minos_sdk.jws import Malformed
from minos_sdk.testing import Authority

SERVERS = Servers.of(["nats://127.0.0.1:1"], plaintext=False, tls=None)


@pytest.mark.parametrize(("now", "left"), [(1_000.0, 300.0), (1_240.0, 60.0), (999.0, 60.0), (1_300.0, 60.0), (9_000.0, 60.0)], ids=str)
def test_a_clock_that_cannot_be_right_is_not_gone_by(now: float, left: float) -> None:
    assert _left(1_000, 1_300, now) == left


@pytest.mark.parametrize(("life", "after"), [(3_600.0, 3_540.0), (300.0, 240.0), (60.0, 40.0), (0.3, 1.0)], ids=str)
def test_a_connection_is_replaced_well_before_its_end(life: float, after: float) -> None:
    assert _renewal(life) == after


class NoToken:
    async def token(self, audience: str) -> str:
        return "opaque"


async def test_what_is_no_access_token_is_no_way_in() -> None:
    with pytest.raises(Malformed):
        await TokenLogin(NoToken()).entry()


class Moody:
    """A token source, and a reading, that raises what nobody has heard of; the second time it does what it is for."""

    def __init__(self) -> None:
        self.wanted, self.done = asyncio.Event(), asyncio.Event()
        self.wanted.set()
        self.tried = 0

    async def token(self, audience: str) -> str:
        raise KeyError("secret")

    async def read(self, _: object) -> None:
        self.tried += 1
        if self.tried == 1:
            raise KeyError("secret")
        self.wanted.clear()
        self.done.set()


async def test_a_token_source_that_breaks_ends_no_connection_there_is(minos_authority: Authority) -> None:
    with pytest.raises(Lost, match="raised KeyError"):
        await Connection.open(SERVERS, TokenLogin(Moody()), minos_authority.verifier().receiver, {}, 1)


async def test_a_reading_that_breaks_is_read_again(minos_authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minos_sdk.feeds.nats_connection._AGAIN_S", 0)
    moody = Moody()
    connection = Connection(cast("Any", None), SERVERS, Entry("orders"), minos_authority.verifier().receiver, {})
    reader = asyncio.create_task(connection._read(cast("Reading", moody)))
    async with asyncio.timeout(5):
        await moody.done.wait()
    reader.cancel()


class Slow:
    """A token source whose next token does not come."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()

    async def token(self, audience: str) -> str:
        return audience

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        self.is_asked.set()
        await asyncio.sleep(60)
        raise TimeoutError(audience, instead_of)


async def test_a_feed_that_ends_leaves_nobody_asking_for_tokens(minos_authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> Connection:
        raise Refused("authorization violation")

    monkeypatch.setattr(Connection, "open", refuse)
    slow, before = Slow(), asyncio.all_tasks()
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    running = asyncio.create_task(NatsFeed("nats://127.0.0.1:1", slow).run(minos_authority.verifier().receiver, http))
    async with asyncio.timeout(5):
        await slow.is_asked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
