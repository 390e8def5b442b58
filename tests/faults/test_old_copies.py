"""A store comes back with less than it had: the broker is filled up again; a database that forgot is never made to look right."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.running import Running
from bench.soak.truth import everything_follows_from_the_log
from tests.e2e.conftest import SMALL
from tests.e2e.people import bootstrap, client_of, register

STORES = ("nats/jetstream", "postgres/pgdata")


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="minos-faults-", ignore_cleanup_errors=True) as folder:
        running = Running(Path(folder), **SMALL)
        yield running
        await running.stop()


async def copies_are_made_and_more_is_done(running: Running) -> None:
    """Run, copy the stores' folders while all is stopped, and go on."""
    await running.start()
    async with client_of(running) as http:
        await bootstrap(http, running.bootstrap_code)
        await running.stop()
        for what in STORES:
            shutil.copytree(running.data / what, running.folder / what, symlinks=True, copy_function=_copy_with_owner)
            _own_like(running.data / what, running.folder / what)
        await running.start()
        for _ in range(3):
            assert (await (await register(http)).ask("POST", "/auth/logout", {})).status_code == 204
        await everything_follows_from_the_log(running)


async def started_with_old(running: Running, what: str) -> None:
    await running.stop()
    shutil.rmtree(running.data / what)
    (running.folder / what).rename(running.data / what)
    await running.start()


def _copy_with_owner(source: str, target: str) -> str:
    shutil.copy2(source, target)
    _chown_like(Path(source), Path(target))
    return target


def _own_like(source: Path, target: Path) -> None:
    for path in [source, *source.rglob("*")]:
        if path.is_dir():
            _chown_like(path, target / path.relative_to(source))


def _chown_like(source: Path, target: Path) -> None:
    found = source.stat()
    os.chown(target, found.st_uid, found.st_gid)


@pytest.mark.timeout(180)
async def test_broker_that_lost_its_tail_is_filled_up_and_a_database_that_did_stops_the_push(running: Running) -> None:
    await copies_are_made_and_more_is_done(running)
    await gets_the_same_messages_under_the_same_numbers(running)
    await nothing_is_pushed_until_an_operator_opens_an_epoch(running)


async def gets_the_same_messages_under_the_same_numbers(running: Running) -> None:
    await started_with_old(running, "nats/jetstream")
    await everything_follows_from_the_log(running)


async def nothing_is_pushed_until_an_operator_opens_an_epoch(running: Running) -> None:
    await started_with_old(running, "postgres/pgdata")
    async with client_of(running) as http:
        ada = await register(http)
        assert await ada.is_signed_in()
        async with asyncio.timeout(10):
            while "publisher_halted" not in running.printed:
                await asyncio.sleep(0.05)
        assert (await (await register(http)).ask("POST", "/auth/logout", {})).status_code == 204
        opened = await running.minos("log", "open-epoch", "--reason", "restored", "--json")
        assert opened.code == 0, opened.err
        events = await everything_follows_from_the_log(running)
        assert any(event["stream"] == f"user-{ada.user_id}" for event in events)
        assert await ada.is_signed_in()
