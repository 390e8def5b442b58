"""`minos witness serve`, as a log meets it."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, MutableMapping
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from adapters.witness import memory
from adapters.witness.folder import Home
from adapters.witness.witness import Witness
from api.witness import WitnessApp
from domain.tree.submission import LONGEST_SUBMISSION, SIZE_TYPE
from tests.witness.logs import TestLog


@pytest.fixture
def serving(home: Home) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "cli.main", "witness", "serve", str(home.folder), "--port", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(10) == 0


def post(url: str, body: bytes) -> httpx.Response:
    until = time.monotonic() + 20
    while True:
        try:
            return httpx.post(f"{url}/add-checkpoint", content=body)
        except httpx.ConnectError:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_a_served_witness_cosigns_and_says_where_it_is(serving: str, log: TestLog) -> None:
    first = post(serving, log.submission(0, 5))
    assert (first.status_code, first.text[:2]) == (200, "\N{EM DASH} ")
    second = post(serving, log.submission(0, 7))
    assert (second.status_code, second.text, second.headers["content-type"]) == (409, "5\n", SIZE_TYPE)
    assert post(serving, TestLog(of="other").submission(5, 7)).status_code == 422
    assert post(serving, b"x" * (LONGEST_SUBMISSION + 1)).status_code == 413
    assert httpx.get(f"{serving}/add-checkpoint").status_code == 405
    assert httpx.post(f"{serving}/other").status_code == 404


class Call:
    """One request of a client that says what it likes."""

    def __init__(self, *parts: bytes, length: str | None = None) -> None:
        self._parts = [*parts]
        self.sent: list[MutableMapping[str, Any]] = []
        headers = [] if length is None else [(b"content-length", length.encode())]
        self.scope = {"type": "http", "method": "POST", "path": "/add-checkpoint", "headers": headers}

    async def receive(self) -> MutableMapping[str, Any]:
        part = self._parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def status(self, app: WitnessApp) -> int:
        await app(self.scope, self.receive, self.send)
        status: int = self.sent[0]["status"]
        return status


async def opened(home: Home) -> WitnessApp:
    key, logs = home.key(), home.logs()
    app = WitnessApp(lambda: Witness(key, logs, home.memory(key)))
    told = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if told.is_set():
            await asyncio.Event().wait()
        return {"type": "lifespan.startup"}

    async def send(message: MutableMapping[str, Any]) -> None:
        assert message["type"] == "lifespan.startup.complete"
        told.set()

    living = asyncio.create_task(app({"type": "lifespan"}, receive, send))
    await told.wait()
    living.cancel()
    return app


@pytest.fixture
async def app(home: Home) -> WitnessApp:
    return await opened(home)


async def test_a_body_is_read_no_further_than_it_may_be_long(app: WitnessApp, log: TestLog) -> None:
    raw = log.submission(0, 5)
    assert await Call(raw[:9], raw[9:]).status(app) == 200
    for length in (str(LONGEST_SUBMISSION + 1), "9" * 4400, "-1", "x"):
        assert await Call(length=length).status(app) == 413, "without a byte of it"
    endless = Call(*[b"x" * 50_000] * 10)
    assert await endless.status(app) == 413
    assert len(endless._parts) == 7


async def test_a_body_that_does_not_come_is_not_waited_for(app: WitnessApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.witness.BODY_SECONDS", 0.01)
    call = Call()
    call.receive = asyncio.Event().wait  # type: ignore[method-assign,assignment] # never says anything
    assert await call.status(app) == 408


async def test_a_flood_is_refused_at_once(app: WitnessApp, log: TestLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.witness.MOST_WAITING", 0)
    call = Call(log.submission(0, 5))
    assert await call.status(app) == HTTPStatus.SERVICE_UNAVAILABLE
    assert (b"retry-after", b"1") in call.sent[0]["headers"]


async def test_a_witness_whose_memory_is_away_cosigns_nothing(home: Home, log: TestLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "BUSY_SECONDS", 0.01)
    app = await opened(home)
    holding = sqlite3.connect(home.folder / "memory", isolation_level=None)
    holding.execute("BEGIN EXCLUSIVE")
    assert await Call(log.submission(0, 5)).status(app) == 503
    holding.close()
    assert await Call(log.submission(0, 5)).status(app) == 200
