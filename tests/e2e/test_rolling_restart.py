"""Processes that serve are restarted one after the other behind the nginx of deploy/, and nobody who asks meanwhile notices."""

import asyncio
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from adapters.children import exited, spawn, stop
from bench import nginx
from bench.cluster.programs import Nginx
from bench.running import Running, free_ports, minos

ASKING = 4
PAUSE_S = 0.02
BETWEEN = 40
"""Answers that are waited for between one step and the next."""


class Serving:
    """One `minos serve` on the servers of an authority that runs."""

    def __init__(self, running: Running, folder: Path, port: int) -> None:
        self.address, self._folder = f"127.0.0.1:{port}", folder
        self._environment = {
            **running.environment,
            "MINOS_DATABASE_URL": running.database_url,
            "MINOS_PORT": str(port),
            "MINOS_METRICS_PORT": "0",
            "MINOS_SHUTDOWN_DRAIN": "3",
        }
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with (self._folder / "serve.log").open("ab") as output:
            self._child = spawn([*minos(), "serve"], cwd=self._folder, output=output, env=self._environment)
        async with asyncio.timeout(30), httpx.AsyncClient() as http:
            while True:
                try:
                    if (await http.get(f"http://{self.address}/health/ready")).is_success:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.02)

    async def leave(self) -> int:
        """Told to stop, as at every upgrade."""
        assert self._child is not None
        self._child.send_signal(signal.SIGTERM)
        return await exited(self._child)

    async def kill(self) -> None:
        if self._child is not None:
            await stop(self._child)


class Asking:
    """Clients that go on asking, each over a connection that it keeps. A request that changes something: nginx never repeats one."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/auth/refresh"
        self.statuses: list[int | str] = []

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=20) as http:
            while True:
                try:
                    self.statuses.append((await http.post(self._url, json={"refresh_token": "mrt_nobodys"})).status_code)
                except httpx.HTTPError as error:
                    self.statuses.append(type(error).__name__)
                await asyncio.sleep(PAUSE_S)

    async def more(self) -> None:
        wanted = len(self.statuses) + BETWEEN
        while len(self.statuses) < wanted:
            await asyncio.sleep(0.01)


async def test_no_request_fails_while_one_process_after_the_other_is_restarted(running: Running, own_folder: Path) -> None:
    program = nginx.found()
    if isinstance(program, str):
        pytest.skip(program)
    one, other, front = free_ports(3)
    first, second = (Serving(running, own_folder, port) for port in (one, other))
    before = Nginx(program, own_folder, {"api-1": first.address, "api-2": second.address}, port=front)
    asking = Asking(f"http://127.0.0.1:{front}")
    try:
        await asyncio.gather(first.start(), second.start())
        await before.start()
        tasks = [asyncio.create_task(asking.run()) for _ in range(ASKING)]
        try:
            await asking.more()
            assert await first.leave() == 0
            await asking.more()
            await first.start()
            await asking.more()
            assert await second.leave() == 0
            await asking.more()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await before.stop()
        await first.kill()
        await second.kill()
    assert set(asking.statuses) == {401}, (own_folder / "nginx.log").read_text()
