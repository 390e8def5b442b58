"""A clock is set wrong, forwards and backwards, under one more API process or one more set of workers than there are already.

They stand for another machine: the same stores and keys, and a clock of its own, which libfaketime reads from a file.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from adapters.children import spawn, stop
from bench.running import Running, free_ports, minos
from bench.soak.ground import POLL_S, Ground

STEPS = ("+25", "+0", "-25", "+0")
"""Seconds. Services put up with 30."""
STEP_S = 4.0
_CACHED_S = 1
_READY_S = 30.0
_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")


def _library() -> str:
    return next((str(found) for pattern in _LIBRARIES for found in Path("/").glob(pattern[1:])), "")


def no_faketime(_: Ground) -> str:
    return "" if _library() else "there is no libfaketime"


async def of_an_api(ground: Ground) -> None:
    """All requests go to the one whose clock is wrong."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    async with _elsewhere(ground.running, "serve", MINOS_PORT=str(port), MINOS_WORKERS="1") as clock:
        await _answers(url)
        ground.url = url
        try:
            await _stepped(ground, clock)
        finally:
            ground.url = ground.running.url


async def of_workers(ground: Ground) -> None:
    """Two sets of workers share the steps; those of one go by the wrong clock."""
    async with _elsewhere(ground.running, "work") as clock:
        await _stepped(ground, clock)


async def _stepped(ground: Ground, clock: Path) -> None:
    for step in STEPS:
        scratch = clock.with_suffix(".new")
        scratch.write_text(f"{step}s\n")
        scratch.rename(clock)
        await ground.hold(STEP_S + _CACHED_S)


async def _answers(url: str) -> None:
    async with asyncio.timeout(_READY_S), httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"{url}/health/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _elsewhere(running: Running, command: str, **settings: str) -> AsyncGenerator[Path]:
    """Run a part beside those of the authority; gives the file that its clock goes by."""
    clock = running.folder / f"clock-{command}"
    clock.write_text("+0s\n")
    given = {
        **running.environment,
        "MINOS_ISSUER": running.url,
        "MINOS_METRICS_PORT": "0",
        "MINOS_DATABASE_URL": running.database_url,
        "MINOS_NATS_URL": running.nats.url,
        "MINOS_NATS_CREDENTIALS": str(running.nats.credentials),
        "MINOS_NATS_CALLOUT_ISSUER_FILE": str(running.nats.callout_issuer),
        "MINOS_NATS_CALLOUT_XKEY_FILE": str(running.nats.callout_xkey),
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": str(_CACHED_S),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        **settings,
    }
    argv: Sequence[str] = [*minos(), command]
    with (running.folder / f"elsewhere-{command}.log").open("ab") as output:
        child = spawn(argv, cwd=running.folder, output=output, env=given)
    try:
        yield clock
        if child.poll() is not None:
            raise RuntimeError(f"minos {command} ended with exit code {child.returncode}")
    finally:
        await stop(child, (signal.SIGTERM, 10.0))
        clock.unlink()
