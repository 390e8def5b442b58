"""What `minos witness serve` answers with: one address, bounded in all that a stranger chooses."""

import asyncio
import sqlite3
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

import pytest

from adapters.witness import memory
from adapters.witness.folder import Home
from adapters.witness.witness import Witness
from api.witness import WitnessApp
from domain.tree.submission import LONGEST_SUBMISSION, SIZE_TYPE
from tests.witness.logs import TestLog


class Call:
    """One request of a client that says what it likes."""

    def __init__(self, *parts: bytes, length: str | None = None, method: str = "POST", path: str = "/add-checkpoint") -> None:
        self._parts = [*parts]
        self.sent: list[MutableMapping[str, Any]] = []
        headers = [] if length is None else [(b"content-length", length.encode())]
        self.scope = {"type": "http", "method": method, "path": path, "headers": headers}

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


async def test_it_answers_at_one_address_and_says_where_it_is_in_a_type_of_its_own(app: WitnessApp, log: TestLog) -> None:
    assert await Call(path="/other").status(app) == 404
    assert await Call(method="GET").status(app) == 405
    assert await Call(log.submission(0, 5)).status(app) == 200
    elsewhere = Call(log.submission(0, 7))
    assert await elsewhere.status(app) == 409
    assert (b"content-type", SIZE_TYPE.encode()) in elsewhere.sent[0]["headers"]
    assert elsewhere.sent[1]["body"] == b"5\n"


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
