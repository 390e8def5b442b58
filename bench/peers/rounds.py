"""The rounds of a run: everybody once in each, on the same PostgreSQL, beginning with another every time."""

import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import asyncpg
from msgspec import Struct, structs

from adapters.children import CannotStart
from adapters.embedded_postgres import PostgresServer
from adapters.scratch import scratch
from bench.peers import measuring, stores, versions
from bench.peers.cores import two_cores
from bench.peers.installing import install
from bench.peers.kinds import OURS, STORE, Chosen
from bench.peers.measuring import Amount, Measuring
from bench.peers.pace import Pace
from bench.peers.peer import NotStarted
from bench.peers.results import Results
from bench.peers.target import PEER, Place
from bench.running import NotReady

_FAILURES = (RuntimeError, OSError, LookupError, ValueError, NotStarted, NotReady, CannotStart, asyncpg.PostgresError)
"""What a target may do to its own round. The others go on."""
Told = Callable[[str], None]
Step = tuple[str, Callable[[Place, int, Measuring], Awaitable[None]]]


class Run(Struct, frozen=True, kw_only=True):
    """One run: what it measures, how much, and where the peers are installed."""

    chosen: Chosen
    amount: Amount
    installed: Path


async def measured(run: Run, told: Told) -> tuple[Results, Mapping[str, str]]:
    """Install, start PostgreSQL, measure all rounds, stop. Gives also the versions of what ran. Raises CannotInstall, CannotStart."""
    for name in _installed(run.chosen):
        await install(name, run.installed, told)
    cores = two_cores()
    os.sched_setaffinity(0, {cores.other})
    with scratch("minos-peers-") as folder:
        postgres, pace, results = PostgresServer(folder / "postgres"), Pace(cores.server, folder), Results()
        await postgres.start()
        try:
            place = Place(folder=folder, installed=run.installed, cores=cores, postgres=postgres, database_password=await _role(postgres))
            pace.begin()
            for number in range(1, run.amount.rounds + 1):
                await _round(number, run, place, Measuring(amount=run.amount, pace=pace, results=results, told=told))
            return results, await versions.running(postgres)
        finally:
            await pace.end()
            await postgres.stop()


def _installed(wanted: Chosen) -> Sequence[str]:
    names = {kind.installed_as for kind in wanted.kinds} | ({STORE} & set(wanted.targets))
    return sorted(name for name in names if name is not None)


async def _role(postgres: PostgresServer) -> str:
    """Make the role that the others' databases belong to, and give its password."""
    password = secrets.token_hex(16)
    connection = await asyncpg.connect(postgres.superuser_url)
    try:
        await connection.execute(f"CREATE ROLE {PEER} LOGIN PASSWORD '{password}'")
    finally:
        await connection.close()
    return password


async def _round(number: int, run: Run, place: Place, everything: Measuring) -> None:
    steps = _steps(run.chosen)
    first = (number - 1) % len(steps)
    for name, step in (*steps[first:], *steps[:first]):
        said = partial(_said, everything.told, f"round {number} of {run.amount.rounds}, {name}")
        with tempfile.TemporaryDirectory(dir=place.folder, ignore_cleanup_errors=True) as own:
            try:
                await step(structs.replace(place, folder=Path(own)), number, structs.replace(everything, told=said))
            except _FAILURES as failed:
                everything.results.failures.append(f"round {number}, {name}: {failed}")
                said(f"failed: {failed}")


def _said(told: Told, about: str, what: str) -> None:
    told(f"{about}: {what}")


def _steps(wanted: Chosen) -> Sequence[Step]:
    """Give what a round does, by the name it is told as: each server, then each store."""
    steps: list[Step] = [
        (kind.name, partial(measuring.measure, kind, operations)) for kind in wanted.kinds if (operations := wanted.of(kind))
    ]
    if STORE in wanted.targets:
        steps += [(f"events of {target}", partial(stores.measure, target)) for target in (OURS, STORE)]
    return steps
