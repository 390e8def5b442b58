"""What `minos doctor` looks at of the log in the database: its schema, its guards, who works on it, and how it grows."""

import shutil
from pathlib import Path
from typing import TypeAlias

import asyncpg

from adapters.postgres_sql import statements
from adapters.settings import Settings
from cli.finding import FURTHEST_BEHIND_S, Finding, found, warned
from cli.role_checks import rights
from migrations import runner
from migrations.runner import Status
from projections import generations
from projections.catalogue import ALL

SQL = statements(Path(__file__).with_suffix(".sql"))
PARTITIONS_AHEAD = 2
OLDEST_LEFT_S = 3 * 86_400.0
"""Of what the reaper deletes after a day or two."""
FEWEST_DAYS = 30.0
_DEADLINE_S = 5.0
_SLOW_S = 30.0

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def schema(connection: Connection, settings: Settings) -> list[Finding]:
    status = await runner.status(connection)
    made = [migrations(status)]
    if status.applied:
        unguarded = [row["name"] for row in await connection.fetch(SQL["unguarded"], timeout=_DEADLINE_S)]
        made.append(Finding(check="events are kept", ok=not unguarded, detail=f"tables without their guard: {unguarded or 'none'}"))
        size = await connection.fetchval(SQL["identity_cache"], timeout=_DEADLINE_S)
        made.append(Finding(check="append ids", ok=size in {1, None}, detail=f"identity cache {size}; it must be 1"))
    if status.ready:
        made += [*await rights(connection), *await workers(connection), *await partitions(connection)]
        made += await growth(connection, settings)
    return made


def migrations(status: Status) -> Finding:
    said = f"{len(status.applied)} applied, missing {list(status.pending) or 'none'}, edited {list(status.edited) or 'none'}"
    if status.ready and status.unknown:
        newer = f"{said}, {list(status.unknown)} of a newer release"
        return warned("migrations", newer, "they only add; bring this machine to the newer release too", ok=False)
    advice = "run `minos migrate` of this release" + ("; an edited one cannot be mended: take the release it was" if status.edited else "")
    return found("migrations", said, advice, ok=status.ready)


async def workers(connection: Connection) -> list[Finding]:
    unnumbered = await connection.fetchval(SQL["unnumbered"], timeout=_DEADLINE_S)
    parked = await connection.fetchval(SQL["parked"], timeout=_DEADLINE_S)
    left = await connection.fetchval(SQL["leftovers"], timeout=_DEADLINE_S)
    return [sequencer(unnumbered), projector(await behind_s(connection)), parking(parked), reaper(left)]


async def behind_s(connection: Connection) -> float:
    age: float = await connection.fetchval(SQL["behind"], *await generations.serving(connection.fetch, ALL), timeout=_DEADLINE_S)
    return age


def sequencer(age_s: float) -> Finding:
    said = f"events get their positions within {age_s:.1f} s" if age_s else "every event has its position"
    return found("sequencer", said, "does it run, was the database restored? `minos work`, and its log", ok=age_s <= FURTHEST_BEHIND_S)


def projector(behind_s: float) -> Finding:
    advice = "do workers run? `minos projections status` says of which"
    return found("workers", f"read models are {behind_s:.1f} s behind the events", advice, ok=behind_s <= FURTHEST_BEHIND_S)


def parking(parked: int) -> Finding:
    advice = "`minos projections parked` says which and why"
    return found("parked", f"{parked} streams are held back from read models", advice, ok=not parked)


def reaper(age_s: float) -> Finding:
    advice = "does `reaper` run? rows pile up without it"
    return warned("reaper", f"the oldest answer that is kept is {age_s / 3600:.0f} h old", advice, ok=age_s <= OLDEST_LEFT_S)


async def partitions(connection: Connection) -> list[Finding]:
    row = await connection.fetchrow(SQL["partitions"], timeout=_DEADLINE_S)
    return [] if row is None else [ahead(row["here"], row["last"]), retention(row["unsealed"])]


def ahead(here: int, last: int) -> Finding:
    advice = "does `sequencer` run? writers stop at the end of the last one; as the owner: SELECT ensure_partitions()"
    return found("partitions", f"{last - here} ready after the one being written", advice, ok=last - here >= PARTITIONS_AHEAD)


def retention(unsealed: int) -> Finding:
    advice = "have `minos retention run` run each night: nothing of them is pruned before"
    return warned("retention", f"{unsealed} full partitions are not sealed", advice, ok=not unsealed)


async def growth(connection: Connection, settings: Settings) -> list[Finding]:
    """Where the database is on this disk, so far as we know it: `minos up` has it there."""
    row = await connection.fetchrow(SQL["growth"], timeout=_SLOW_S)
    folder = settings.data_dir / "postgres"
    free = shutil.disk_usage(folder).free if folder.exists() else None
    return [] if row is None else [lasting(row["bytes"], row["size"], row["of_week"], free)]


def lasting(bytes_: int, size: int, of_week: int, free: int | None) -> Finding:
    each_day = bytes_ / max(size, 1) * of_week / 7
    said = f"{bytes_ / 2**20:,.0f} MiB, {size:,} events, {of_week:,} of them in the last week"
    days = free / each_day if free is not None and each_day and size > of_week else None
    if days is None:
        return Finding(check="growth", ok=True, detail=said)
    advice = "a larger disk, or take old partitions out: docs/how-to/keep-the-log-small.md"
    return warned("growth", f"{said}; at that rate the disk lasts {days:,.0f} days", advice, ok=days >= FEWEST_DAYS)
