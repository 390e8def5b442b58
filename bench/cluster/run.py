"""`minos bench cluster`: Minos on several machines under load, while each of them and each link between them goes and comes back."""

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import httpx

from adapters.scratch import scratch
from bench import nginx, report
from bench.cluster import page
from bench.cluster.cluster import AUDIENCE, FRONT, running
from bench.cluster.course import Course, Seen, chosen
from bench.cluster.faults import FAULTS
from bench.cluster.network import NoMachines, leave_the_network
from bench.cluster.services import Services, administrator, listening
from bench.cluster.versions import NoVersionBefore, Version, this_version, version_before
from bench.soak.acknowledged import Acknowledged, against
from bench.soak.answers import Answers
from bench.soak.clients import Client
from bench.soak.lives import MIXED
from bench.soak.truth import all_checked

CLIENTS, PER_SECOND = 6, 25
"""How many there are, and how much they ask together: a part of what the machine could do, or it would be busy with them alone."""
ANSWER_S = 10.0
HOLD_S, QUICK_HOLD_S = 8.0, 3.0
CALM_S = 5.0
LAST_SIGNALS_S = 20.0


def run(args: argparse.Namespace) -> int:
    """Give 0 where all held that has to, 1 where it did not, 2 where it cannot be tried here."""
    program = nginx.found()  # before we leave the network that it may have to come by
    if isinstance(program, str):
        print(f"minos: {program}", file=sys.stderr)
        return 2
    where = report.circumstances(quick=args.quick)
    try:
        leave_the_network()
    except NoMachines as why:
        print(f"minos: bench cluster makes machines of network namespaces: {why}", file=sys.stderr)
        return 2
    with scratch("minos-cluster-") as folder:
        found = asyncio.run(_taken(folder, program, where=where))
    page.write(args.out, found)
    print((args.out / "cluster.json").read_text() if args.json else page.table(found))
    if args.publish:
        report.publish(args.out, "cluster")
    return 0 if found.holds else 1


async def _taken(folder: Path, program: Path, *, where: report.Circumstances) -> page.Found:
    began, newest = monotonic(), this_version()

    def told(what: str) -> None:
        print(f"  {monotonic() - began:5.0f} s  {what} ...", file=sys.stderr, flush=True)

    try:
        first, no_upgrade = version_before(folder / "before"), ""
    except NoVersionBefore as why:
        first, no_upgrade = newest, str(why)
    async with running(folder, program, first, told) as cluster, paced(PER_SECOND, ANSWER_S) as http:
        answers, acknowledged = Answers(), Acknowledged()
        admin = await administrator(cluster, first, http)
        async with listening(cluster, first) as services:
            device = partial(Client, http, acknowledged, admin, service=services, answers=answers, where=lambda: FRONT, audience=AUDIENCE)
            async with _at_work([device() for _ in range(CLIENTS)]):
                course = Course(cluster, answers, services, told)
                seen = await _course(course, first, newest, quick=where.quick)
            ended = monotonic()
            told("what was acknowledged, and what is there")
            await _last_signals(services)
            events, checks = await all_checked(cluster)
    return page.Found(
        circumstances=where,
        level=newest.level,
        before=first.commit,
        no_upgrade=no_upgrade,
        faults=seen,
        checks=checks,
        missing=against(acknowledged, events),
        wrong=[*acknowledged.wrong, *(line for each in services.listeners for line in each.wrong)],
        pending=sum(each.pending for each in services.listeners),
        events=len(events),
        acknowledged=len(acknowledged.effects),
        clients=CLIENTS,
        per_second=PER_SECOND,
        hold_s=QUICK_HOLD_S if where.quick else HOLD_S,
        seconds=answers.per_second(course.began, int(ended - course.began)),
    )


async def _course(course: Course, first: Version, newest: Version, *, quick: bool) -> Sequence[Seen]:
    seen = [await course.calm(CALM_S)]
    if first is not newest:
        seen.append(await course.rolling_upgrade(newest))
    seen.append(await course.rolling_restart(newest))
    seen += [await course.meet(fault, newest, QUICK_HOLD_S if quick else HOLD_S) for fault in chosen(FAULTS, quick=quick)]
    if not quick:
        seen.append(await course.rolling_restart(newest))
    return seen


def paced(per_second: float, timeout: float) -> httpx.AsyncClient:
    """Give clients who ask no more than so often, all together."""
    due = monotonic()

    async def wait(_: httpx.Request) -> None:
        nonlocal due
        due = max(due + 1 / per_second, monotonic())
        await asyncio.sleep(due - monotonic())

    return httpx.AsyncClient(timeout=timeout, event_hooks={"request": [wait]})


@asynccontextmanager
async def _at_work(clients: Sequence[Client]) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(client.run(MIXED, stop)) for client in clients]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _last_signals(services: Services) -> None:
    """What was revoked last is on its way."""
    until = monotonic() + LAST_SIGNALS_S
    while any(each.pending for each in services.listeners) and monotonic() < until:
        await asyncio.sleep(0.1)
