"""The event stores: how fast sixteen writers append, and how fast what is stored comes out again."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench import databases, fill
from bench.peers.cores import on
from bench.peers.kinds import OURS, STORE
from bench.peers.measuring import Amount, Measuring
from bench.peers.our_store import Asked
from bench.peers.results import Stored
from bench.peers.target import PEER, Place, environment
from bench.processes import said

_DATABASE = "minos_stored"
_WITHIN_S = 300.0
WHATS = ("append", "project")
Rates = Mapping[str, float]


async def measure(target: str, place: Place, number: int, measuring: Measuring) -> None:
    """Measure our store, or the other, in round `number`, each time on a fresh database."""
    ask: Callable[[str, Place, Amount], Awaitable[Rates]] = _ours if target == OURS else _theirs
    for what in WHATS:
        measuring.told(what)
        began = time.monotonic()
        rates = await ask(what, place, measuring.amount)
        pace = measuring.pace.between(began, time.monotonic())
        measuring.results.stored += [
            Stored(target=target, operation=name, round=number, per_second=rate, pace=pace) for name, rate in rates.items()
        ]


async def _ours(what: str, place: Place, amount: Amount) -> Rates:
    serving, owner = await databases.migrated(place.postgres, _DATABASE)
    if what == "project":
        await fill.real_histories(owner, amount.projected)
    asked = Asked(url=serving, what=what, writers=amount.writers, seconds=amount.seconds, events=amount.projected)
    return await _rates([sys.executable, "-m", "bench.peers.our_store"], place, given=msgspec.json.encode(asked))


async def _theirs(what: str, place: Place, amount: Amount) -> Rates:
    await databases.fresh(place.postgres, PEER, owner=PEER)
    home = place.installed / STORE
    numbers = [str(amount.seconds), str(amount.writers)] if what == "append" else [str(amount.projected)]
    rates = await _rates(
        [str(home / "venv" / "bin" / "python"), str(home / "measure.py"), what, *numbers], place,
        PERSISTENCE_MODULE="eventsourcing.postgres", POSTGRES_HOST=place.postgres.superuser_url.partition("?host=")[2],
        POSTGRES_PORT="5432", POSTGRES_DBNAME=PEER, POSTGRES_USER=PEER, POSTGRES_PASSWORD=place.database_password,
        POSTGRES_POOL_SIZE=str(amount.writers), POSTGRES_MAX_OVERFLOW="8",
    )  # fmt: skip
    return {"append": max(rates["append"], rates["append_by_functions"])} if what == "append" else rates


async def _rates(command: Sequence[str], place: Place, given: bytes = b"", **settings: str) -> Rates:
    """Run a program on the server's core, and give what it prints. Raises RuntimeError when it fails."""
    with on(place.cores.server):
        child = await asyncio.create_subprocess_exec(
            *command, cwd=Path.cwd(), env=environment(**settings),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    out, err = await said(child, given, within=_WITHIN_S)
    if child.returncode:
        raise RuntimeError(f"measuring a store failed:\n{err.decode(errors='replace')[-2_000:]}")
    return msgspec.json.decode(out, type=dict[str, float])
