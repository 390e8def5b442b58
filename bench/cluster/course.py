"""Faults and restarts one after the other under load, and what clients and services saw of each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

import asyncpg
from msgspec import Struct
from nats.errors import Error as NatsError

from adapters.jetstream import JetStream, StreamAway
from bench.cluster import broker
from bench.cluster.cluster import Cluster
from bench.cluster.faults import EVENTS, Fault
from bench.cluster.programs import command
from bench.cluster.services import Services
from bench.cluster.versions import Version
from bench.soak.answers import Answers

RESTART, UPGRADE = "a rolling restart of every process", "a rolling upgrade over a migration"
CALM_S = 2.0
"""Between two of them, and after each process of a rolling restart."""
CAUGHT_UP_S = 120.0
_POLL_S = 0.1
_REACHED = """
SELECT (SELECT size FROM log_head) >= $1
   AND coalesce((SELECT max(size) FROM log_checkpoints), 0) >= $1
   AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < $1)
"""


class Seen(Struct, frozen=True, kw_only=True):
    """One of them, times in seconds. `answered`, `failed`: requests that ended from its beginning until all had caught up.

    `harm_s`: until it was mended. `steady_s`: until what was committed by then was in NATS, in every read model and under a checkpoint.
    `longest_without_s`: in which no client had any answer. `failing_s`: from the beginning to the last failure. `blind_s`: in which the
    service that knew least knew that it did not know. `refused_after_s`: the longest a service accepted what was revoked meanwhile.
    """

    title: str
    began_s: float
    harm_s: float
    steady_s: float
    answered: int
    failed: int
    statuses: dict[str, int]
    longest_without_s: float
    failing_s: float
    blind_s: float
    refused_after_s: float
    wrong: str = ""
    skipped: str = ""


class Course:
    def __init__(self, cluster: Cluster, answers: Answers, services: Services, told: Callable[[str], None]) -> None:
        self._cluster, self._answers, self._services, self._told = cluster, answers, services, told
        self.began = monotonic()

    async def meet(self, fault: Fault, version: Version, hold_s: float) -> Seen:
        """Break something, leave it so, mend it, and wait until all is well."""

        async def happens() -> None:
            mend = await fault.harm(self._cluster, version)
            await asyncio.sleep(hold_s)
            await mend()

        return await self._see(fault.title, happens)

    async def rolling_restart(self, version: Version) -> Seen:
        return await self._see(RESTART, lambda: self._replace_each(version))

    async def rolling_upgrade(self, version: Version) -> Seen:
        async def happens() -> None:
            await command(version, self._cluster.settings(version), "migrate")
            await self._replace_each(version)

        return await self._see(UPGRADE, happens)

    async def calm(self, seconds: float) -> Seen:
        """Nothing: what the rest is compared with."""
        return await self._see("nothing", lambda: asyncio.sleep(seconds))

    async def _replace_each(self, version: Version) -> None:
        for part in (*self._cluster.apis, *self._cluster.workers):
            await part.stop()
            await part.start(version)
            await asyncio.sleep(CALM_S)

    async def _see(self, title: str, happens: Callable[[], Awaitable[None]]) -> Seen:
        self._told(title)
        began, wrong = monotonic(), ""
        try:
            await happens()
            mended = monotonic()
            await self._caught_up()
        except Exception as error:  # noqa: BLE001 - the others are to be seen as well; this one is reported
            mended, wrong = monotonic(), f"{type(error).__name__}: {error}"
        ended = monotonic()
        await asyncio.sleep(CALM_S)
        window = self._answers.between(began, ended)
        failures = [answer.at for answer in self._answers.all if began <= answer.at < ended and not answer.well]
        listeners = self._services.listeners
        return Seen(
            title=title,
            began_s=began - self.began,
            harm_s=mended - began,
            steady_s=ended - began,
            answered=sum(window.statuses.values()) - window.failed,
            failed=window.failed,
            statuses=window.statuses,
            longest_without_s=window.longest_without_s,
            failing_s=failures[-1] - began if failures else 0.0,
            blind_s=max(each.seconds_blind(began, ended) for each in listeners),
            refused_after_s=max(each.longest_wait(began, ended) for each in listeners),
            wrong=wrong,
        )

    async def _caught_up(self) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(CAUGHT_UP_S):
            size = await self._asked("SELECT count(*) FROM events")
            while not await self._asked(_REACHED, size):
                await asyncio.sleep(_POLL_S)
            while await self._end_of_stream() < size:
                await asyncio.sleep(_POLL_S)

    async def _asked(self, question: str, *given: object) -> int:
        connection = await asyncpg.connect(self._cluster.database_url, timeout=10)
        try:
            found: int = await connection.fetchval(question, *given)
            return found
        finally:
            await connection.close()

    async def _end_of_stream(self) -> int:
        try:
            async with broker.connected(self._cluster.brokers, self._cluster.seed) as client:
                found = await JetStream(client).ask(f"STREAM.INFO.{EVENTS}")
        except (NatsError, OSError, StreamAway, TimeoutError):
            return 0
        return int((found or {})["state"]["last_seq"])


def chosen(faults: Sequence[Fault], *, quick: bool) -> Sequence[Fault]:
    return [fault for fault in faults if fault.brief or not quick]
