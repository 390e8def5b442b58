"""How much of the time that the database is at work it waits for locks, while all kinds of writes go on at once."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

import asyncpg
from msgspec import Struct

from bench.growth.calls import CALLS
from bench.growth.site import Site
from bench.load import Driver, Plan, Tally

MIXED = ("refresh", "sign_in", "register", "role")
LOOK_S = 0.005
_LOOK = """
SELECT count(*) AS active, count(*) FILTER (WHERE wait_event_type = 'Lock') AS locked,
       count(*) FILTER (WHERE wait_event_type = 'LWLock') AS latched
FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Waits(Struct, frozen=True, kw_only=True):
    """Of sessions seen at work, how many waited for a lock; and for a latch of PostgreSQL's own, which is no lock of ours."""

    lock_percent: float
    latch_percent: float
    looks: int
    writes_per_second: float
    refused: int


async def mixed_writes(site: Site, seconds: float, by: Driver) -> Waits:
    """As many of all kinds as the machine can take: refreshes and roles without pause, the others as hashes allow."""
    await site.renew()
    plans: list[Plan] = []
    for call in CALLS:
        if call.key in MIXED:
            plan = await call.plan(site, seconds)
            plans.append(Plan(port=plan.port, requests=plan.requests, connections=plan.connections, tokens=plan.tokens, seconds=seconds))
    stop = asyncio.Event()
    looking = asyncio.create_task(_looked(site.running.owner_url, stop))
    tallies = await asyncio.gather(*(by(plan) for plan in plans))
    stop.set()
    active, locked, latched, looks = await looking
    return Waits(
        lock_percent=100 * locked / max(active, 1),
        latch_percent=100 * latched / max(active, 1),
        looks=looks,
        writes_per_second=sum(tally.per_second for tally in tallies),
        refused=sum(map(refusals, tallies)),
    )


def refusals(tally: Tally) -> int:
    return sum(count for status, count in tally.statuses.items() if not status.startswith("2"))


async def _looked(url: str, stop: asyncio.Event) -> Sequence[int]:
    """Give the sums of all looks, and how many there were."""
    sums = [0, 0, 0, 0]
    connection = await asyncpg.connect(url)
    try:
        look = await connection.prepare(_LOOK)
        while not stop.is_set():
            began = perf_counter()
            (row,) = await look.fetch()
            sums = [total + more for total, more in zip(sums, (*row.values(), 1), strict=True)]
            await asyncio.sleep(max(0.0, LOOK_S - (perf_counter() - began)))
    finally:
        await connection.close()
    return sums
