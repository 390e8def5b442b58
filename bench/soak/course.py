"""Faults one after another, each with a look before, meanwhile and after: steady again is the condition for the next."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

import asyncpg
import httpx
import msgspec
from msgspec import Struct
from nats.errors import Error as NatsError

from bench.soak.answers import Answers, Window
from bench.soak.faults import Fault
from bench.soak.follower import Follower
from bench.soak.ground import BACK_S, POLL_S, Ground
from bench.soak.listener import Listener
from bench.soak.log_so_far import CAUGHT_UP, LogSoFar, size_of

STEADY_S = 90.0
QUIET_S = 1.0
_LEAST = 5
_BEFORE_S = 5.0
_DOCTOR_AFTER_S = 2.0
_DOCTOR_S = 30.0


class Seen(Struct, frozen=True, kw_only=True):
    """One fault. Times in seconds, from its beginning. `answered_s`: to the first success after the last failure; `steady_s`: until
    everything had caught up."""

    name: str
    title: str
    skipped: str = ""
    began_s: float = 0.0
    harm_s: float = 0.0
    answered_s: float = 0.0
    steady_s: float = 0.0
    before: Window | None = None
    during: Window | None = None
    after: Window | None = None
    ready: dict[str, int] = {}
    """What `/health/ready` said, and how often."""
    doctor: list[str] = []
    blind_s: float = 0.0
    longest_revocation_s: float = 0.0
    lost: list[str] = []
    skipped_events: list[str] = []
    wrong: list[str] = []


class Course:
    def __init__(self, ground: Ground, answers: Answers, listener: Listener, follower: Follower, log: LogSoFar) -> None:
        self._ground, self._answers, self._listener, self._follower, self._log = ground, answers, listener, follower, log
        self.began = monotonic()

    async def meet(self, fault: Fault) -> Seen:
        """Do it, wait until all is well again, and say what was seen. What goes wrong on the way is in `wrong`."""
        if lacks := fault.lacks(self._ground):
            return Seen(name=fault.name, title=fault.title, skipped=lacks)
        began, ready, doctor, wrong = monotonic(), dict[str, int](), list[str](), list[str]()
        async with _looking(self._ground, fault, ready, doctor):
            try:
                await fault.harm(self._ground)
            except Exception as error:  # noqa: BLE001 - the other faults are to be seen as well; this one is reported
                wrong.append(f"{type(error).__name__}: {error}")
                await self._ground.revive()
            harmed = monotonic()
            lost, skipped = await self._steady(harmed, wrong)
        steady = monotonic()
        failures = [each.at for each in self._answers.all if each.at >= began and not each.well]
        well = next((each.at for each in self._answers.all if each.well and each.at > (failures[-1] if failures else began)), steady)
        return Seen(
            name=fault.name, title=fault.title, began_s=began - self.began, harm_s=harmed - began,
            answered_s=well - began, steady_s=steady - began,
            before=self._answers.between(began - _BEFORE_S, began), during=self._answers.between(began, steady),
            after=self._answers.between(steady - QUIET_S, steady),
            ready=ready, doctor=doctor, blind_s=self._listener.seconds_blind(began, steady),
            longest_revocation_s=self._listener.longest_wait(began, steady), lost=lost, skipped_events=skipped, wrong=wrong,
        )  # fmt: skip

    async def steady(self) -> None:
        """Wait until everybody is answered. Raises TimeoutError."""
        async with asyncio.timeout(STEADY_S):
            while True:
                since = monotonic()
                await asyncio.sleep(QUIET_S)
                if self._answers.succeed_since(since, _LEAST) and not self._listener.verifier.is_blind:
                    return

    async def _steady(self, harmed: float, wrong: list[str]) -> tuple[list[str], list[str]]:
        try:
            async with asyncio.timeout(STEADY_S):
                await self.steady()
                return await self._caught_up()
        except TimeoutError:
            wrong.append(f"not well again within {monotonic() - harmed:.0f} s")
            return [], []

    async def _caught_up(self) -> tuple[list[str], list[str]]:
        """Wait until what was committed before this moment is everywhere; give what is lost and what was skipped."""
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, NatsError):
                connection = await asyncpg.connect(self._ground.running.database_url)
                try:
                    moment, size = await size_of(connection)
                    while not await connection.fetchval(CAUGHT_UP, size) or len(self._follower.seen) < size:
                        await asyncio.sleep(POLL_S)
                    known = len(self._log.skipped)
                    lost = list(await self._log.lost(connection, moment))
                    return lost, self._log.skipped[known:]
                finally:
                    connection.terminate()
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _looking(ground: Ground, fault: Fault, ready: dict[str, int], doctor: list[str]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(_readiness(ground, ready))]
    if fault.holds:
        tasks.append(asyncio.create_task(_doctor(ground, doctor)))
    try:
        yield
    finally:
        if fault.holds:
            await asyncio.wait(tasks[1:], timeout=BACK_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _readiness(ground: Ground, said: dict[str, int]) -> None:
    """Ask as a balancer does, each time over a connection of its own."""
    while True:
        try:
            async with httpx.AsyncClient(timeout=2.0) as http:
                answer = await http.get(f"{ground.url}/health/ready")
                what = f"{answer.status_code} PostgreSQL {answer.json()['postgres']}" if answer.status_code != 200 else "200"
        except (httpx.HTTPError, KeyError, ValueError):
            what = "no answer"
        said[what] = said.get(what, 0) + 1
        await asyncio.sleep(0.2)


async def _doctor(ground: Ground, found: list[str]) -> None:
    """What `minos doctor` finds wrong a while after a fault began."""
    await asyncio.sleep(_DOCTOR_AFTER_S * ground.scale)
    try:
        done = await ground.running.minos("doctor", "--json", within=_DOCTOR_S)
        checks: list[dict[str, Any]] = msgspec.json.decode(done.out)
    except (TimeoutError, msgspec.DecodeError):
        found.append("no answer")
        return
    found += [f"{check['check']}: {check['detail']}" for check in checks if not check["ok"]] or ["all well"]
