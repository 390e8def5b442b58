"""What `minos doctor` looks at for services elsewhere: that they are told what to refuse, and that NATS lets them in."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from msgspec import Struct

from adapters.base64url import from_text
from adapters.nats_credentials import BadCredentials, proof
from adapters.postgres import AWAY
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from adapters.server_urls import each
from adapters.settings import Settings
from cli.finding import FURTHEST_BEHIND_S, Finding

if TYPE_CHECKING:
    from nats.aio.client import Client

SQL = statements(Path(__file__).with_suffix(".sql"))
HEARTBEAT = "live.v1.access.heartbeat"
PATIENCE_S = 3.0
"""A heartbeat comes each second, and what began just now is not complete at once."""
_ANSWER_S = 0.5
_AGAIN_S = 0.1
_ASKED_S = 1.5
"""The server waits for 5 where there is nobody to ask."""
_DEADLINE_S = 5.0
_NO_ACCOUNT = "$G"
_NOBODYS = "minos-doctor"
"""A token that was never given to anybody."""


class _Feed(Struct, frozen=True):
    state: str
    complete_to: int


class _Beat(Struct, frozen=True):
    feed: _Feed


class _Info(Struct, frozen=True):
    account: str


class _Told(Struct, frozen=True):
    data: _Info


async def downstream(settings: Settings) -> AsyncIterator[Finding]:
    """Look from where Minos is: whether it gets through a service finds out itself. Of what is away the other checks tell."""
    if settings.database_url is not None:
        async for finding in _kept(settings.database_url.reveal()):
            yield finding
    if settings.nats_url is not None:
        async for finding in _sent(settings):
            yield finding


async def _kept(url: str) -> AsyncIterator[Finding]:
    try:
        connection = await connect(url, timeout=_DEADLINE_S)
    except (*AWAY, asyncpg.PostgresError):
        return
    try:
        if not await connection.fetchval(SQL["has_signals"], timeout=_DEADLINE_S):
            return
        until = time.monotonic() + PATIENCE_S
        while not (found := await _standing(connection)).ok and time.monotonic() < until:
            await asyncio.sleep(_AGAIN_S)
        yield found
    finally:
        await connection.close(timeout=_DEADLINE_S)


async def _standing(connection: "asyncpg.Connection[asyncpg.Record]") -> Finding:
    row = await connection.fetchrow(SQL["signals"], timeout=_DEADLINE_S)
    status, age = ("none", float("inf")) if row is None else (str(row["status"]), float(row["age"]))
    reason, waiting = (None, 0) if row is None else (row["reason"], row["waiting"])
    if status == "halted":
        return Finding(check="signals", ok=False, detail=f"halted: {reason}; services call themselves blind until it goes on")
    if age > FURTHEST_BEHIND_S:
        never = age > time.time() / 2
        told = "never complete" if never else f"complete up to {age:.1f} s ago"
        return Finding(check="signals", ok=False, detail=f"{told}: do workers run? services call themselves blind")
    return Finding(check="signals", ok=True, detail=f"complete up to {age:.1f} s ago; {waiting} not in NATS yet")


async def _sent(settings: Settings) -> AsyncIterator[Finding]:
    from nats.aio.client import Client
    from nats.errors import Error

    client = Client()
    try:
        async with asyncio.timeout(2 * _DEADLINE_S + PATIENCE_S):
            known = proof(settings.nats_credentials)
            servers = [] if settings.nats_url is None else list(each(settings.nats_url.reveal()))
            await client.connect(servers, allow_reconnect=False, connect_timeout=2, error_cb=_keep_quiet, **known)  # pyright: ignore[reportUnknownMemberType] - its options have no types
            yield await _heartbeat(client)
            if settings.nats_callout_issuer is not None:
                yield await _account(client)
                yield await _callout(servers)
    except (BadCredentials, OSError, TimeoutError, Error):
        return  # `broker` says so
    finally:
        await client.close()


async def _heartbeat(client: "Client") -> Finding:
    """Listen until all is well, or for as long as patience lasts: each wait for what is left of it. A timeout around them all may be lost
    where a message comes at that moment (asyncio.wait_for, which nats-py uses, in Python 3.11)."""
    heard = await client.subscribe(HEARTBEAT)  # pyright: ignore[reportUnknownMemberType] - as above
    detail = f"no heartbeat in {PATIENCE_S:.0f} s: do workers run, and with this NATS? services that listen here are blind"
    until = time.monotonic() + PATIENCE_S
    try:
        while (left := until - time.monotonic()) > 0:
            message = await heard.next_msg(timeout=left)
            beat = msgspec.json.decode(from_text(message.data.decode("ascii").split(".")[1]) or b"", type=_Beat).feed
            detail = f"{beat.state}, complete up to {time.time() - beat.complete_to / 1_000_000:.1f} s ago"
            if beat.state == "running":
                return Finding(check="signals in NATS", ok=True, detail=detail)
    except (TimeoutError, ValueError, IndexError):
        pass
    return Finding(check="signals in NATS", ok=False, detail=detail)


async def _account(client: "Client") -> Finding:
    """Who shares an account with Minos could write into its streams, whatever else they may (docs/explanation/signals.md)."""
    message = await client.request("$SYS.REQ.USER.INFO", timeout=_ANSWER_S)
    account = msgspec.json.decode(message.data, type=_Told).data.account
    alone = account != _NO_ACCOUNT
    detail = f"Minos is in {account}" + ("" if alone else ", which is everybody's: give it an account of its own, and services another")
    return Finding(check="NATS accounts", ok=alone, detail=detail)


async def _callout(servers: list[str]) -> Finding:
    """Knock with a token that nobody gave. Refused at once, somebody was asked; where nobody is, the server waits before it refuses."""
    from nats.aio.client import Client
    from nats.errors import Error

    client, asked = Client(), False
    try:
        async with asyncio.timeout(_ASKED_S):
            await client.connect(servers, token=_NOBODYS, allow_reconnect=False, error_cb=_keep_quiet)  # pyright: ignore[reportUnknownMemberType] - as above
    except Error as refused:
        asked = "authorization" in str(refused).lower()
    except (OSError, TimeoutError):
        pass
    finally:
        await client.close()
    silent = "nobody tells NATS who services are: does an API run on this NATS, with MINOS_NATS_CALLOUT_ISSUER and MINOS_NATS_CALLOUT_XKEY?"
    return Finding(check="NATS callout", ok=asked, detail="an API says who services are" if asked else silent)


async def _keep_quiet(_: Exception) -> None:
    """What the client would print is what the findings say."""
