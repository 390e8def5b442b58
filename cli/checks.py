"""What `minos doctor` looks at. Each check gives findings: what holds, and what does not and how to mend it."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg

from adapters.children import CannotStart
from adapters.postgres import AWAY
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from adapters.settings import Settings
from cli import key_checks
from cli.broker_checks import broker
from cli.database import in_words
from cli.downstream_checks import downstream
from cli.erased_list_checks import erased_list
from cli.erasure_checks import erasures_end
from cli.explained import explained
from cli.finding import FURTHEST_BEHIND_S, Finding
from cli.running import connected
from cli.tree_checks import tree
from migrations import runner

SQL = statements(Path(__file__).with_suffix(".sql"))
LOWEST_DISK_BYTES = 1 << 30
LARGEST_SKEW_S = 2.0
_DEADLINE_S = 5.0


async def examine(settings: Settings) -> list[Finding]:
    """Run every check. Never raises for what it finds: a server that is away is a finding too."""
    found = [Finding(check="settings", ok=True, detail=f"{settings.environment}, issuer {settings.issuer}")]
    found += [*_disk(settings), *key_checks.of_this_machine(settings)]
    try:
        settings = connected(settings)
    except (CannotStart, PermissionError) as error:
        found.append(Finding(check="database", ok=False, detail=explained(error) or str(error)))
    else:
        found += [finding async for finding in _database(settings)]
        if any(finding.check == "migrations" and finding.ok for finding in found):
            found += await key_checks.of_the_database(settings)
            found += await erasures_end(settings)
            found += await erased_list(settings)
        found += [finding async for finding in tree(settings)]
    found += [finding async for finding in broker(settings)]
    found += [finding async for finding in downstream(settings)]
    found.append(await _api(settings))
    return found


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = next(each for each in (settings.data_dir, *settings.data_dir.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    yield Finding(check="disk", ok=free >= LOWEST_DISK_BYTES, detail=f"{free / (1 << 30):.1f} GiB free at {folder}; at least 1 is advised")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    url = settings.database_url
    if url is None:
        return
    try:
        async with asyncio.timeout(_DEADLINE_S):
            connection = await connect(url.reveal(), timeout=_DEADLINE_S)
    except (*AWAY, asyncpg.PostgresError) as error:
        yield Finding(check="database", ok=False, detail=f"cannot connect: {in_words(error)}")
        return
    try:
        version = connection.get_server_version()
        yield Finding(check="database", ok=version.major >= 18, detail=f"PostgreSQL {version.major}; 18 is needed")
        for finding in await _role(connection):
            yield finding
        for finding in await _schema(connection):
            yield finding
        yield await _mail(settings, connection)
    finally:
        await connection.close(timeout=_DEADLINE_S)


async def _role(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Finding]:
    before = time.time()
    row = await connection.fetchrow(SQL["role"], timeout=_DEADLINE_S)
    if row is None:
        return [Finding(check="role", ok=False, detail="the server does not know the role it let in")]
    skew = abs(row["clock"] - (before + time.time()) / 2)
    lowly = not row["mighty"] and not row["owns"]
    bounded = row["transaction_timeout"] not in {"0", ""}
    durable = row["fsync"] == "on" and row["synchronous_commit"] not in {"off", "local"}
    return [
        Finding(check="role", ok=lowly, detail=f"serving as {row['name']}; it must be neither owner nor superuser"),
        Finding(
            check="transaction timeout", ok=bounded, detail=f"{row['transaction_timeout']} (ALTER ROLE ... SET transaction_timeout = '5s')"
        ),
        Finding(check="durability", ok=durable, detail=f"fsync {row['fsync']}, synchronous_commit {row['synchronous_commit']}"),
        Finding(check="clock", ok=skew <= LARGEST_SKEW_S, detail=f"{skew:.3f} s apart from the database's"),
    ]


async def _schema(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Finding]:
    status = await runner.status(connection)
    found = [
        Finding(
            check="migrations",
            ok=status.ready,
            detail=f"{len(status.applied)} applied, missing {list(status.pending) or 'none'}, edited {list(status.edited) or 'none'}",
        )
    ]
    if status.applied:
        unguarded = [row["name"] for row in await connection.fetch(SQL["unguarded"], timeout=_DEADLINE_S)]
        found.append(Finding(check="events are kept", ok=not unguarded, detail=f"tables without their guard: {unguarded or 'none'}"))
        size = await connection.fetchval(SQL["identity_cache"], timeout=_DEADLINE_S)
        found.append(Finding(check="append ids", ok=size in {1, None}, detail=f"identity cache {size}; it must be 1"))
    if status.ready:
        behind = await connection.fetchval(SQL["behind"], timeout=_DEADLINE_S)
        detail = f"read models are {behind:.1f} s behind the events" + ("" if behind <= FURTHEST_BEHIND_S else ": do workers run?")
        found.append(Finding(check="workers", ok=behind <= FURTHEST_BEHIND_S, detail=detail))
    return found


async def _mail(settings: Settings, connection: "asyncpg.Connection[asyncpg.Record]") -> Finding:
    row = await connection.fetchrow(SQL["mail"], timeout=_DEADLINE_S) if await connection.fetchval(SQL["has_mail"]) else None
    if row is None:
        return Finding(check="mail", ok=False, detail="no ledger: run `minos migrate`")
    goes = "by SMTP" if settings.smtp_url is not None else "nowhere" if settings.in_production else f"to {settings.data_dir / 'mail'}"
    detail = f"goes {goes}; {row['waiting']} waiting, {row['late']} of them for over a quarter of an hour, {row['failed']} failed in a day"
    bad = row["late"] or row["failed"]
    return Finding(check="mail", ok=not bad, detail=detail + (": see `minos mail list --state failed`" if bad else ""))


async def _api(settings: Settings) -> Finding:
    from cli.child_part import answers

    ready = await answers(settings.host, settings.port, name=settings.allowed_hosts[0].removeprefix("*."))()
    at = f"{settings.host}:{settings.port}"
    return Finding(
        check="api",
        ok=ready,
        detail=f"{at} is ready" if ready else f"nothing ready at {at}: start `minos up` or `minos serve`, or set MINOS_PORT as it has it",
    )
