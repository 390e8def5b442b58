"""A service that hears over HTTP alone, over real sockets: NATS may be gone, and the API come back as another process."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from bench.running import Running
from minos_sdk import REFUSE, Blind, ClientSecret, Revoked, ServiceTokens, SseFeed, Verifier
from tests.e2e.people import Person, register

WITHIN_S = 30.0


@pytest.fixture(scope="module")
async def account(admin: Person) -> ClientSecret:
    wanted = {
        "name": "Reports over HTTP", "audiences": ["minos"], "permissions": ["minos.signals.access", "minos.signals.roles.reports"],
    }  # fmt: skip
    made = (await admin.ask("POST", "/service-accounts", wanted)).json()
    return ClientSecret(made["client_id"], made["client_secret"])


@asynccontextmanager
async def service(running: Running, account: ClientSecret) -> AsyncGenerator[Verifier]:
    async with (
        ServiceTokens(running.url, account) as tokens,
        Verifier(issuer=running.url, audience="reports", feed=SseFeed(tokens), on_blind=REFUSE) as verifier,
    ):
        yield verifier


async def reader(http: httpx.AsyncClient) -> Person:
    return await (await register(http)).sign_in(audience="reports")


async def is_refused_soon(verifier: Verifier, who: Person) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                await verifier.verify(who.tokens["access_token"])
            except Revoked:
                return
            except Blind:
                pass
            await asyncio.sleep(0.01)


async def is_sighted(verifier: Verifier) -> None:
    async with asyncio.timeout(WITHIN_S):
        while verifier.is_blind:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("part", ["nats", "api"])
async def test_what_was_revoked_while_a_part_was_killed_is_refused(
    running: Running, http: httpx.AsyncClient, account: ClientSecret, part: str
) -> None:
    async with service(running, account) as verifier:
        ada, bob = await reader(http), await reader(http)
        assert await verifier.verify(ada.tokens["access_token"])
        pid = running.kill(part)
        if part == "api":
            await running.restarted(part, pid)
        await ada.ask("POST", "/auth/logout", {})
        await is_refused_soon(verifier, ada)
        await running.restarted(part, pid)
        await is_sighted(verifier)
        assert await verifier.verify(bob.tokens["access_token"])


async def test_attack_readers_that_take_nothing_in_keep_nobody_else_waiting(
    running: Running, http: httpx.AsyncClient, account: ClientSecret
) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    async with ServiceTokens(running.url, account) as tokens:
        asked = f"GET /api/v1/signals/stream HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {await tokens.token('minos')}\r\n\r\n"
    readers = [socket.create_connection((host, int(port))) for _ in range(8)]
    try:
        for each in readers:
            each.sendall(asked.encode())
        async with service(running, account) as verifier:
            ada = await reader(http)
            assert await verifier.verify(ada.tokens["access_token"])
            await ada.ask("POST", "/auth/logout", {})
            await is_refused_soon(verifier, ada)
    finally:
        for each in readers:
            each.close()
