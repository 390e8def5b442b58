"""Signals over NATS: live copies and hints as they happen, and the stream for all that came before or got lost."""

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from random import SystemRandom
from typing import NoReturn

import httpx

from minos_sdk import given
from minos_sdk.errors import MinosError
from minos_sdk.feeds.minos import MinosItself
from minos_sdk.feeds.nats_connection import Connection, NotYet, Refused
from minos_sdk.feeds.nats_login import Login, TokenLogin
from minos_sdk.feeds.nats_servers import Servers
from minos_sdk.feeds.reading import Reading
from minos_sdk.feeds.snapshots import SOURCE, Snapshots
from minos_sdk.ports import TokenSource
from minos_sdk.receiver import Receiver
from minos_sdk.trouble import words

log = logging.getLogger("minos_sdk")
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.1, 0.5
_FIRST_PATIENCE_S, _LAST_PATIENCE_S = 1.0, 4.0
"""NATS asks Minos who comes. Where it has just come back and Minos is not there yet, it waits for five seconds for nothing: coming again is
faster. Where Minos is only slow, more patience helps."""
_RENEWED_EVERY_S = 10.0
_chance = SystemRandom()


class NatsFeed:
    """minos_sdk.feeds.feed.Feed. Needs the extra `nats`.

    Minos itself is asked for what holds at the start, after a connection was lost, and every two seconds for as long as NATS is silent:
    over HTTP, with a token for the audience `minos`. Who has no such audience, or no token source, has to believe NATS that nothing was
    left out, and is blind without it.

    A connection ends with the token it was made with, so a new one is there before that; the old one is closed only then.
    """

    def __init__(
        self,
        servers: str | Sequence[str],
        token_source: TokenSource | None = None,
        *,
        login: Login | None = None,
        tls: ssl.SSLContext | None = None,
        plaintext: bool = False,
    ) -> None:
        """`token_source`: gives tokens for the audiences `nats` and `minos`. `login`: another way into NATS, for installations with static
        users.

        A server beyond this machine has to have TLS, or it is not shown the credential; `plaintext=True` is for a network that nobody
        else is on. `tls`: whose certificates are good; by default those this machine knows.
        """
        if find_spec("nats") is None:
            raise ImportError("signals over NATS need nats-py: install minos-sdk[nats]")
        if token_source is None and login is None:
            raise ValueError("a feed gets into NATS by a token source or by another login")
        if token_source is not None:
            given.able("token_source", token_source, "token", wanted=SOURCE)
        if login is not None:
            given.able("login", login, "entry", wanted="a way into NATS, as StaticLogin")
        given.flags(plaintext=plaintext)
        urls = given.texts("servers", (servers,) if isinstance(servers, str) else servers, least=1)
        self._servers = Servers.of(urls, plaintext=plaintext, tls=tls)
        self._token_source = token_source
        self._login: Login = login or TokenLogin(token_source or _none())
        self._is_away = False
        self._renewed_at = float("-inf")
        self._renewing: asyncio.Task[None] | None = None

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:
        minos = None if self._token_source is None else MinosItself(receiver, Snapshots(receiver, http, self._token_source))
        try:
            async with asyncio.TaskGroup() as both:
                if minos is not None:
                    both.create_task(minos.run())
                await self._follow(receiver, {name: Reading(receiver, name, minos) for name in receiver.classes})
        finally:
            if self._renewing is not None:
                self._renewing.cancel()

    async def _follow(self, receiver: Receiver, readings: Mapping[str, Reading]) -> None:
        current: Connection | None = None
        pause, patience = _FIRST_PAUSE_S, _FIRST_PATIENCE_S
        try:
            while True:
                try:
                    following = await Connection.open(self._servers, self._login, receiver, readings, patience)
                except (MinosError, OSError, httpx.HTTPError) as error:
                    receiver.counts["connections_failed"] += 1
                    if isinstance(error, Refused):
                        self._have_renewed(receiver.monotonic())
                    if current is None or not current.is_open:
                        self._say(receiver, words(error))
                    await asyncio.sleep(pause * _chance.uniform(0.5, 1.0))
                    pause = min(2 * pause, _LAST_PAUSE_S)
                    patience = min(2 * patience, _LAST_PATIENCE_S) if isinstance(error, NotYet) else _FIRST_PATIENCE_S
                else:
                    receiver.counts["connections"] += 1
                    self._say_that_it_is_back()
                    pause, patience = _FIRST_PAUSE_S, _FIRST_PATIENCE_S
                    if current is not None:
                        await current.close()
                    current = following
                if current is not None:
                    await current.until_due()
                    if not current.is_open:
                        receiver.counts["connections_lost"] += 1
                        current = None
        finally:
            if current is not None:
                await current.close()

    def _say(self, receiver: Receiver, why: str) -> None:
        if receiver.freshness.state != "fresh":
            receiver.trouble.begins(f"no connection to NATS: {why}")
        elif not self._is_away:
            self._is_away = True
            log.warning("no connection to NATS, Minos is asked meanwhile: %s", why)

    def _say_that_it_is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.warning("NATS is there again")

    def _have_renewed(self, now: float) -> None:
        """Beside all else: who is refused because Minos is away is not to wait for it."""
        if isinstance(self._login, TokenLogin) and now - self._renewed_at > _RENEWED_EVERY_S:
            self._renewed_at = now
            self._renewing = asyncio.create_task(self._login.renew())


def _none() -> NoReturn:
    raise AssertionError("checked before")
