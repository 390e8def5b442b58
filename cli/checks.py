"""What `minos doctor` looks at, in groups. Each check gives findings: what holds, and what does not and how to mend it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import asyncpg
from msgspec.structs import replace

from adapters.children import CannotStart
from adapters.postgres import AWAY
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from adapters.settings import Settings
from cli import key_checks
from cli.address_checks import addresses, issuer
from cli.backup_checks import backups
from cli.broker_checks import broker
from cli.certificate_checks import certificates
from cli.database import in_words
from cli.downstream_checks import downstream
from cli.erased_list_checks import erased_list
from cli.erasure_checks import erasures_end
from cli.explained import explained
from cli.finding import Finding, found
from cli.log_checks import schema
from cli.machine_checks import machine
from cli.role_checks import role
from cli.running import connected
from cli.server_checks import server
from cli.tree_checks import tree

SQL = statements(Path(__file__).with_suffix(".sql"))
_DEADLINE_S = 5.0


async def examine(settings: Settings) -> list[Finding]:
    """Run every check. Never raises for what it finds: a server that is away is a finding too."""
    found = _in("settings", [_settings(settings), *addresses(settings)])
    found += _in("machine", machine(settings))
    found += _in("keys", key_checks.of_this_machine(settings))
    try:
        settings = connected(settings)
    except (CannotStart, PermissionError) as error:
        found += _in("database", [Finding(check="database", ok=False, detail=explained(error) or str(error))])
    else:
        of_database = [finding async for finding in _database(settings)]
        found += _in("database", of_database)
        if any(finding.check == "migrations" and not finding.is_wrong for finding in of_database):
            found += _in("keys", [*await key_checks.of_the_database(settings), *await key_checks.signing(settings)])
            found += _in("erasure", [*await erasures_end(settings), *await erased_list(settings)])
        found += _in("audit tree", [finding async for finding in tree(settings)])
    found += _in("backups", await backups(settings))
    found += _in("NATS", [finding async for finding in broker(settings)])
    found += _in("services", [finding async for finding in downstream(settings)])
    found += _in("certificates", await certificates(settings))
    ready = await _api(settings)
    return found + _in("API", [ready, *(await issuer(settings) if ready.ok else [])])


def _in(group: str, findings: Iterable[Finding]) -> list[Finding]:
    return [replace(finding, group=group) for finding in findings]


def _settings(settings: Settings) -> Finding:
    return Finding(check="settings", ok=True, detail=f"{settings.environment}, issuer {settings.issuer}")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    url = settings.database_url
    if url is None:
        return
    try:
        async with asyncio.timeout(_DEADLINE_S):
            connection = await connect(url.reveal(), timeout=_DEADLINE_S)
    except (*AWAY, asyncpg.PostgresError) as error:
        advice = "bring PostgreSQL back, or look at MINOS_DATABASE_URL; pg_stat_activity says who has its connections"
        yield found("database", f"cannot connect: {in_words(error)}", advice, ok=False)
        return
    try:
        version = connection.get_server_version()
        yield Finding(check="database", ok=version.major >= 18, detail=f"PostgreSQL {version.major}; 18 is needed")
        for finding in [*await role(connection), *await server(connection, settings.workers), *await schema(connection, settings)]:
            yield finding
        yield await _mail(settings, connection)
    finally:
        await connection.close(timeout=_DEADLINE_S)


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

    name = settings.allowed_hosts[0].removeprefix("*.")
    ready = await answers(settings.host, settings.port, name=name)()
    at = f"{settings.host}:{settings.port}"
    if ready:
        return Finding(check="api", ok=True, detail=f"{at} is ready")
    advice = "start `minos up` or `minos serve`; if it runs, set MINOS_PORT and MINOS_ISSUER as it has them"
    return found("api", f"nothing is ready at {at} that answers to {name}", advice, ok=False)
