"""A service with the SDK refuses what was revoked, whatever ends or is cut on the way; and says so where it cannot know."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from bench.cut import Cut
from bench.running import Running
from minos_sdk import REFUSE, Blind, ClientSecret, NatsFeed, Revoked, ServiceTokens, Verifier
from tests.e2e.people import Person, register

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    client_id: str
    secret: str


async def account_for(admin: Person, *audiences: str) -> Account:
    wanted = {"name": "Reports", "audiences": audiences, "permissions": ["minos.signals.access", "minos.signals.roles.reports"]}
    made = (await admin.ask("POST", "/service-accounts", wanted)).json()
    return Account(made["client_id"], made["client_secret"])


@pytest.fixture(scope="module")
async def account(admin: Person) -> Account:
    return await account_for(admin, "nats", "minos")


@pytest.fixture(scope="module")
async def nats_account(admin: Person) -> Account:
    """One that hears what NATS says, and nothing else."""
    return await account_for(admin, "nats")


@asynccontextmanager
async def service(running: Running, account: Account, nats: str) -> AsyncGenerator[Verifier]:
    """A service that would rather refuse everybody than accept what may have been revoked."""
    async with (
        ServiceTokens(running.url, ClientSecret(account.client_id, account.secret)) as tokens,
        Verifier(issuer=running.url, audience="reports", feed=NatsFeed(nats, tokens), on_blind=REFUSE) as verifier,
    ):
        yield verifier


async def reader(http: httpx.AsyncClient) -> Person:
    return await (await register(http)).sign_in(audience="reports")


async def is_accepted(verifier: Verifier, who: Person) -> bool:
    """Raises Blind."""
    try:
        await verifier.verify(who.tokens["access_token"])
    except Revoked:
        return False
    return True


async def is_refused_soon(verifier: Verifier, who: Person) -> None:
    """Wait until the service knows, over every time in which it knows that it does not."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                if not await is_accepted(verifier, who):
                    return
            except Blind:
                pass
            await asyncio.sleep(0.01)


async def is_sighted(verifier: Verifier) -> None:
    async with asyncio.timeout(WITHIN_S):
        while verifier.is_blind:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("part", ["nats", "workers", "api"])
async def test_what_was_revoked_while_a_part_was_killed_is_refused(
    running: Running, http: httpx.AsyncClient, account: Account, part: str
) -> None:
    async with service(running, account, running.nats.url) as verifier:
        ada, bob = await reader(http), await reader(http)
        assert await is_accepted(verifier, ada)
        pid = running.kill(part)
        if part == "api":
            await running.restarted(part, pid)
        await ada.ask("POST", "/auth/logout", {})
        await is_refused_soon(verifier, ada)
        await running.restarted(part, pid)
        await is_sighted(verifier)
        assert await is_accepted(verifier, bob)
        await bob.ask("POST", "/auth/logout", {})
        await is_refused_soon(verifier, bob)


async def test_a_service_that_starts_again_never_accepts_what_was_revoked_before(
    running: Running, http: httpx.AsyncClient, account: Account
) -> None:
    ada, bob = await reader(http), await reader(http)
    async with service(running, account, running.nats.url) as verifier:
        assert await is_accepted(verifier, ada)
        await ada.ask("POST", "/auth/logout", {})
        await is_refused_soon(verifier, ada)
    async with service(running, account, running.nats.url) as verifier:
        assert not await is_accepted(verifier, ada)
        assert await is_accepted(verifier, bob)


async def test_a_service_that_is_cut_off_refuses_everybody_until_it_knows_again(
    running: Running, http: httpx.AsyncClient, nats_account: Account
) -> None:
    """Nothing comes through any more, and no connection is closed: as by a cable that was pulled."""
    async with Cut(running.nats.url) as cut, service(running, nats_account, cut.url) as verifier:
        ada, bob = await reader(http), await reader(http)
        assert await is_accepted(verifier, ada)
        cut.silence()
        await ada.ask("POST", "/auth/logout", {})
        async with asyncio.timeout(WITHIN_S):
            while not verifier.is_blind:
                await asyncio.sleep(0.01)
        for each in (ada, bob):
            with pytest.raises(Blind):
                await verifier.verify(each.tokens["access_token"])
        cut.resume()
        await is_refused_soon(verifier, ada)
        await is_sighted(verifier)
        assert await is_accepted(verifier, bob)


async def test_a_service_that_nats_is_silent_for_asks_minos_and_is_never_blind(
    running: Running, http: httpx.AsyncClient, account: Account
) -> None:
    async with Cut(running.nats.url) as cut, service(running, account, cut.url) as verifier:
        ada, bob = await reader(http), await reader(http)
        cut.silence()
        asked = verifier.metrics()["signals_asked_minos"]
        await ada.ask("POST", "/auth/logout", {})
        async with asyncio.timeout(WITHIN_S):
            while await is_accepted(verifier, ada) or verifier.metrics()["signals_asked_minos"] < asked + 2:
                await asyncio.sleep(0.01)
        assert await is_accepted(verifier, bob)
