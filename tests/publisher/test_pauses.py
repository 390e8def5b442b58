"""A worker that fails begins again after a pause, and the pause it logs is the one it takes."""

import asyncio

import pytest
import structlog

from domain.errors import StoreUnavailable
from workers import __main__ as workers


class Faltering:
    """Lives for each of the times given, in seconds, then finds Postgres away; after the last it is told to stop."""

    def __init__(self, lives: list[float]) -> None:
        self._lives = lives
        self.began: list[float] = []
        self.ended: list[float] = []

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        self.began.append(loop.time())
        if not self._lives:
            stop.set()
            return
        await asyncio.sleep(self._lives.pop(0))
        self.ended.append(loop.time())
        raise StoreUnavailable


async def test_the_pause_that_is_logged_is_the_one_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(workers, "STEADY_SECONDS", 0.2)
    worker = Faltering([0.0, 0.0, 0.3, 0.0])
    with structlog.testing.capture_logs() as told:
        await workers._keep("reaper", lambda: worker, asyncio.Event())
    logged = [line["delay_s"] for line in told]
    assert logged == [0.05, 0.1, 0.05, 0.1]
    taken = [began - ended for began, ended in zip(worker.began[1:], worker.ended, strict=True)]
    assert all(pause >= delay - 0.005 for pause, delay in zip(taken, logged, strict=True))
