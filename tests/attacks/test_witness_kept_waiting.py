"""Whoever wants a log to go without its witnesses must not get there by asking and never saying what."""

import asyncio

from api.witness import MOST_WAITING
from tests.witness.conftest import home, log
from tests.witness.logs import TestLog
from tests.witness.test_over_http import Call, WitnessApp, app

__all__ = ["app", "home", "log"]


async def test_attack_bodies_that_do_not_come(app: WitnessApp, log: TestLog) -> None:
    slow = [Call(length="100") for _ in range(2 * MOST_WAITING)]
    for call in slow:
        call.receive = asyncio.Event().wait  # type: ignore[method-assign,assignment]  # never says anything
    asking = [asyncio.create_task(call.status(app)) for call in slow]
    await asyncio.sleep(0.05)
    assert await Call(log.submission(0, 5)).status(app) == 200
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
