"""What `minos doctor` looks at of a stream's configuration: that what is in it stays, for those who listen."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct, convert
from nats.aio.client import Client

from adapters.event_stream import EventStream
from adapters.jetstream import NO_SUCH_STREAM, JetStream
from cli.finding import Finding, found, warned
from cli.role_checks import clock

NEARLY_FULL = 0.8
WHOLE_CLUSTER = 3
"""Servers from which on a stream can outlive one of them."""


class Config(Struct, frozen=True, kw_only=True):
    """As JetStream has it; -1 and 0 are no limit."""

    storage: str
    num_replicas: int = 1
    max_msgs: int = -1
    max_bytes: int = -1
    max_age: int = 0
    discard: str = "old"


class Held(Struct, frozen=True, kw_only=True):
    config: Config
    ts: datetime


class Tier(Struct, frozen=True, kw_only=True):
    max_storage: int = -1


class Account(Struct, frozen=True, kw_only=True):
    storage: int = 0
    limits: Tier = Tier()


async def streams(client: Client, epoch: int) -> list[Finding]:
    """Raises StreamAway."""
    before = time.time()
    jetstream = JetStream(client)
    answer = await jetstream.ask(f"STREAM.INFO.{EventStream(client, epoch=epoch).name}", none_if=NO_SUCH_STREAM)
    after = time.time()
    account: dict[str, Any] = await jetstream.ask("INFO") or {}
    made = [room(convert(account, Account))]
    if answer is None:
        return made
    held = convert(answer, Held)
    servers = len({server.netloc for server in client.discovered_servers} | {server.netloc for server in client.servers})
    return [*kept(held.config, servers), *made, clock("NATS clock", abs(held.ts.timestamp() - (before + after) / 2), "NATS's")]


def kept(config: Config, servers: int) -> Iterator[Finding]:
    advice = "after a restart of NATS services find an empty one; delete it, and the publisher makes it anew in files"
    yield found("stream storage", f"in {config.storage}", advice, ok=config.storage == "file")
    said = f"{config.num_replicas} of it, on {servers} servers"
    advice = "it stands still while that server is away; `nats stream edit --replicas 3`"
    yield warned("stream replicas", said, advice, ok=servers < WHOLE_CLUSTER or config.num_replicas >= WHOLE_CLUSTER)
    limits = {"max_msgs": config.max_msgs, "max_bytes": config.max_bytes, "max_age": config.max_age}
    bounded = [name for name, limit in limits.items() if limit > 0]
    advice = "old events go, and who was away for long misses them; `nats stream edit` takes the limits away"
    yield warned("stream limits", f"bounded by {', '.join(bounded) or 'nothing'}", advice, ok=not bounded)


def room(account: Account) -> Finding:
    most = account.limits.max_storage
    share = account.storage / most if most > 0 else 0.0
    said = f"{account.storage / 2**20:,.0f} MiB of {f'{most / 2**20:,.0f} MiB' if most > 0 else 'as much as there is'}"
    return found("stream room", said, "raise the account's disk_storage, or nothing more is sent", ok=share < NEARLY_FULL)
