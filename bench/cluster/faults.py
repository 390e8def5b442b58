"""What happens to a cluster, one thing after the other: each does its harm, and gives what mends it again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Struct

from bench.cluster import broker
from bench.cluster.broker import Broker
from bench.cluster.cluster import Cluster
from bench.cluster.database import Postgres
from bench.cluster.network import Machine, cut, heal
from bench.cluster.programs import Minos
from bench.cluster.versions import Version

OPERATOR_S = 2.0
"""How long whoever watches takes to notice that a database is gone, and to act."""
EVENTS = "MINOS_EVENTS"
Mend: TypeAlias = Callable[[], Awaitable[None]]


class Fault(Struct, frozen=True, kw_only=True):
    """`harm` breaks something of a cluster that runs a version, and gives what mends it. `brief`: part of a quick run."""

    title: str
    harm: Callable[[Cluster, Version], Awaitable[Mend]]
    brief: bool = False


async def _kill_broker(which: Callable[[Cluster], Awaitable[Broker]], cluster: Cluster, _: Version) -> Mend:
    lost = await which(cluster)
    await lost.machine.power_off()

    async def mend() -> None:
        lost.start()
        await broker.until_ready([lost], cluster.seed)

    return mend


async def _leader(cluster: Cluster) -> Broker:
    return await broker.leader(cluster.brokers, cluster.seed, EVENTS)


async def _follower(cluster: Cluster) -> Broker:
    leader = await _leader(cluster)
    return next(each for each in cluster.brokers if each is not leader)


async def _unplug(which: Callable[[Cluster], Awaitable[Machine]], cluster: Cluster, _: Version) -> Mend:
    lost = await which(cluster)
    lost.unplug()

    async def mend() -> None:
        lost.plug()

    return mend


async def _leaders_machine(cluster: Cluster) -> Machine:
    return (await _leader(cluster)).machine


def _of(cluster: Cluster, server: Postgres) -> Machine:
    return cluster.machines[server.machine.name]


async def _machine(name: str, cluster: Cluster) -> Machine:
    return cluster.machines[name]


async def _lose_standby(cluster: Cluster, _: Version) -> Mend:
    """Commits wait for it until an operator says that they need not."""
    lost = cluster.standby
    _of(cluster, lost).unplug()
    await asyncio.sleep(OPERATOR_S)
    await cluster.primary.wait_for(None)

    async def mend() -> None:
        _of(cluster, lost).plug()
        await cluster.primary.wait_for(lost)

    return mend


async def _kill_primary(cluster: Cluster, _: Version) -> Mend:
    lost = cluster.primary
    await lost.kill()
    await asyncio.sleep(OPERATOR_S)
    await cluster.promote()
    return partial(lost.follow, cluster.primary)


async def _cut_off_primary(cluster: Cluster, _: Version) -> Mend:
    """It goes on, alone; whatever it had acknowledged its standby has. It is switched off before anybody can hear it again."""
    lost = cluster.primary
    _of(cluster, lost).unplug()
    await asyncio.sleep(OPERATOR_S)
    await cluster.promote()

    async def mend() -> None:
        await lost.kill()
        _of(cluster, lost).plug()
        await lost.follow(cluster.primary)

    return mend


async def _kill_minos(which: Callable[[Cluster], Minos], cluster: Cluster, version: Version) -> Mend:
    lost = which(cluster)
    await lost.machine.power_off()
    return partial(lost.start, version)


async def _cut(some: Sequence[str], others: Callable[[Cluster], Sequence[Machine]], cluster: Cluster, _: Version) -> Mend:
    links = [(cluster.machines[name], other) for name in some for other in others(cluster)]
    for one, other in links:
        cut(one, other)

    async def mend() -> None:
        for one, other in links:
            heal(one, other)

    return mend


def _databases(cluster: Cluster) -> Sequence[Machine]:
    return [_of(cluster, cluster.primary), _of(cluster, cluster.standby)]


def _nats(cluster: Cluster) -> Sequence[Machine]:
    return [each.machine for each in cluster.brokers]


FAULTS: Sequence[Fault] = (
    Fault(title="a NATS server is killed", harm=partial(_kill_broker, _follower)),
    Fault(title="the NATS server that leads the log's stream is killed", harm=partial(_kill_broker, _leader), brief=True),
    Fault(title="the NATS server that leads it is cut off", harm=partial(_unplug, _leaders_machine)),
    Fault(title="the standby is cut off, and no longer waited for", harm=_lose_standby),
    Fault(title="the primary is killed, and the standby promoted", harm=_kill_primary, brief=True),
    Fault(title="the primary is cut off, and the standby promoted", harm=_cut_off_primary),
    Fault(title="a machine that serves is killed", harm=partial(_kill_minos, lambda cluster: cluster.apis[0]), brief=True),
    Fault(title="a machine that serves is cut off", harm=partial(_unplug, partial(_machine, "api-2"))),
    Fault(title="a machine that works is killed", harm=partial(_kill_minos, lambda cluster: cluster.workers[0])),
    Fault(title="a machine that works is cut off", harm=partial(_unplug, partial(_machine, "work-2"))),
    Fault(title="one that serves and the databases do not hear each other", harm=partial(_cut, ["api-1"], _databases)),
    Fault(title="one that serves and NATS do not hear each other", harm=partial(_cut, ["api-1"], _nats)),
    Fault(title="all that work and the databases do not hear each other", harm=partial(_cut, ["work-1", "work-2"], _databases), brief=True),
    Fault(title="all that work and NATS do not hear each other", harm=partial(_cut, ["work-1", "work-2"], _nats)),
)
