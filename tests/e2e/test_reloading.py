"""Settings that lie in files are read again at SIGHUP, by processes that go on serving; what cannot be used changes nothing."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from bench.processes import children, lives
from bench.running import Running
from tests.e2e.conftest import SMALL
from tests.e2e.people import client_of

DEADLINE_S = 30.0


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not what():
            await asyncio.sleep(0.05)


async def until_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with suppress(httpx.TransportError):
                if (await http.get("/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def until_refused(http: httpx.AsyncClient) -> None:
    """Until one process answers by the new limits; the one before ends only once it runs."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                answer = await http.post("/api/v1/auth/login", json={"email": "nobody@example.org", "password": "x"})
            except httpx.TransportError:
                continue  # the connection was to the process that left
            assert answer.status_code in {401, 429}
            if answer.status_code == 429:
                return
            await asyncio.sleep(0.05)


async def test_limits_and_the_log_level_change_while_everybody_is_served(own_folder: Path) -> None:
    limits, level = own_folder / "limits.toml", own_folder / "level"
    limits.write_text("[sign_in]\naddress = []\nnetwork = []\nname = []\n")
    level.write_text("warning")
    async with Running(own_folder, limits_file=str(limits), log_level_file=str(level), **SMALL) as running, client_of(running) as http:
        level.write_text("inf")  # whoever writes it has come so far
        [answering] = children(running.pid("api"))
        os.kill(answering, signal.SIGKILL)
        await until(lambda: not lives(answering))
        await until_ready(http)

        limits.write_text('[sign_in]\naddress = "nonsense"\n')
        os.kill(running.pid("api"), signal.SIGHUP)
        await until(lambda: "settings_not_reloaded" in running.printed)
        assert (await http.get("/health/ready")).status_code == 200
        assert '"request"' not in running.printed

        limits.write_text('[sign_in]\naddress = ["1/1h"]\nnetwork = []\nname = []\n')
        level.write_text("info")
        os.kill(running.pid("api"), signal.SIGHUP)
        await until_refused(http)
        assert (await http.get("/health/live")).status_code == 200
        await until(lambda: '"event":"request"' in running.printed)
        assert '"route":"/health' not in running.printed, "what asks all day is not worth a line while all is well"

        os.kill(running.pid("workers"), signal.SIGHUP)
        await until(lambda: running.printed.count('"event":"settings_reloaded"') == 2)
        assert (await running.minos("doctor")).code == 0, "the workers work"
        assert "workers: ended" not in running.printed
        assert await running.stop() < DEADLINE_S
