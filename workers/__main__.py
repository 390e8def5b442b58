"""Runs workers: `python -m workers [name]...`, of those in NAMES; all when none is named.

Each has an owner that starts it again after an error, with a growing pause; no worker's fault is another's.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

import structlog
import uvloop
from nats.aio.client import Client

from adapters import log_policy, logging, settings_source
from adapters.hints import APPENDED, ERASED, SEQUENCED, Hints, listen
from adapters.nats_client import NatsConnection
from adapters.reloading import InForce
from adapters.settings import Settings
from adapters.stopping import stop_within
from adapters.telemetry.spans import spans as spans_wanted
from domain.errors import StoreUnavailable
from workers import metrics
from workers.hints import Hint
from workers.integrator.collector import Collector
from workers.integrator.opened import OpenedIntegrator
from workers.keykeeper import Keykeeper
from workers.mailer.opened import OpenedMailer
from workers.observed import Observed
from workers.projector import Projector
from workers.publisher import Publisher
from workers.reaper import Reaper
from workers.remembered import Remembered
from workers.sequencer import ForeignLog, Sequencer
from workers.signals.signaller import OpenedSignaller
from workers.signals.watch import Watch
from workers.status import WorkerCondition, note
from workers.surveyor import Surveyor
from workers.timekeeper import Timekeeper
from workers.traced import StepSpans

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 30.0
"""A worker that ran so long had recovered: its next fault begins with the first pause again."""
GRACE_SECONDS = 0.6
"""How long steps may take to end when told to stop; what is cut off then is rolled back and done again."""
AGAIN_SECONDS = 0.1
LAST_SECONDS = 5
"""After which we are gone, whatever does not close: a crash at any moment is made good by the next start."""

log = structlog.stdlib.get_logger()


class Worker(Protocol):
    async def run(self, stop: asyncio.Event) -> None: ...


class UnknownWorker(Exception):
    """The name of a worker that there is not. The message lists those there are."""


NAMES = (
    "sequencer",
    "publisher",
    "integrator",
    "collector",
    "projector",
    "signaller",
    "mailer",
    "timekeeper",
    "keykeeper",
    "reaper",
    "surveyor",
)
FOLLOWING = ("signaller", "publisher", "projector", "mailer", "integrator")
"""Who follows the log: what is waited for comes first."""
WOKEN = ("sequencer", *FOLLOWING)


class Ended(StrEnum):
    """Why the workers ended."""

    STOP = "stop"
    RELOAD = "reload"
    """The settings are to be read again, and the workers run by them."""


async def run(names: Sequence[str], in_force: InForce) -> Ended:
    """Run the named workers, all when none is named, until SIGTERM or SIGINT, or until SIGHUP. Raises UnknownWorker."""
    settings = in_force.settings
    if unknown := [name for name in names if name not in NAMES]:
        raise UnknownWorker(f"no worker is named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if settings.database_url is None or settings.nats_url is None:
        raise UnknownWorker("workers need MINOS_DATABASE_URL and MINOS_NATS_URL")
    gc.freeze()  # what the imports made stays for ever: nobody need look through it again
    told, stop = stop_within(LAST_SECONDS), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, in_force.on_signal(stop.set))
    telling = asyncio.create_task(_pass_on(told, stop), name="stop")
    nats = NatsConnection(settings.nats_url.reveal(), credentials=settings.nats_credentials, name="minos-workers")
    hints = {name: Hint() for name in WOKEN}
    remembered = Remembered()
    spans = spans_wanted("minos.workers")
    others = Hints(nats.client, SEQUENCED)

    def added() -> None:
        _wake(hints)
        others.send()

    seen = Observed(None if spans is None else StepSpans(spans), added)
    made = _workers(settings, settings.database_url.reveal(), nats, hints, remembered, seen=seen)
    try:
        await _until_stopped(names or NAMES, made, _listen(nats, hints, remembered), hints, stop)
    finally:
        await nats.close()
        if spans is not None:
            await asyncio.to_thread(spans.close)
        await asyncio.to_thread(logging.close)
        telling.cancel()
    return Ended.STOP if told.is_set() else Ended.RELOAD


async def _pass_on(told: asyncio.Event, stop: asyncio.Event) -> None:
    await told.wait()
    stop.set()


def _workers(
    settings: Settings, url: str, nats: NatsConnection, hints: Mapping[str, Hint], remembered: Remembered, *, seen: Observed
) -> Mapping[str, Callable[[], Worker]]:
    return {
        "sequencer": lambda: Sequencer(url, hint=hints["sequencer"], observe=seen.sequenced),
        "publisher": lambda: Publisher(url, nats.client, hint=hints["publisher"], observe=seen.published, replicas=settings.nats_replicas),
        "integrator": lambda: OpenedIntegrator(settings, nats.client, hint=hints["integrator"], observe=seen.integrated),
        "collector": lambda: Collector(url, log_policy.load(settings.log_policy), observe=seen.witnessed, heard=metrics.witness_answered),
        "projector": lambda: Projector(url, hint=hints["projector"], observe=seen.projected, worked=seen.worked),
        "signaller": lambda: OpenedSignaller(settings, nats.client, hint=hints["signaller"], watch=Watch()),
        "mailer": lambda: OpenedMailer(settings, hint=hints["mailer"], remembered=remembered, settled=seen.settled, observe=seen.mailed),
        "timekeeper": lambda: Timekeeper(
            settings,
            observe=seen.done_when_due,
            seen=metrics.token_ends,
            signing=metrics.signing_since,
            destroyed=Hints(nats.client, ERASED).send,
        ),
        "keykeeper": lambda: Keykeeper(settings, observe=seen.keys_kept),
        "reaper": lambda: Reaper(url, observe=seen.pruned),
        "surveyor": lambda: Surveyor(url, settings, observe=seen.surveyed),
    }


async def _until_stopped(
    names: Sequence[str],
    made: Mapping[str, Callable[[], Worker]],
    listen_to_others: Coroutine[None, None, None],
    hints: Mapping[str, Hint],
    stop: asyncio.Event,
) -> None:
    tasks = [asyncio.create_task(_keep(name, made[name], stop), name=name) for name in names]
    listening = asyncio.create_task(listen_to_others, name="hints")
    await stop.wait()
    for hint in hints.values():
        hint.set()
    await asyncio.wait(tasks, timeout=GRACE_SECONDS)
    await _end((*tasks, listening))
    for name in names:
        note(name, WorkerCondition.STOPPED)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: the NATS client passes over it once for every message it is sending."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)


async def _listen(nats: NatsConnection, hints: Mapping[str, Hint], remembered: Remembered) -> None:
    """Connect, however long that takes."""
    await nats.connect()
    await listen_to_others(nats.client, hints, remembered)


async def listen_to_others(client: Client, hints: Mapping[str, Hint], remembered: Remembered) -> None:
    """Let other processes wake our workers, and have them forget the keys of the erased."""
    await listen(client, ERASED, remembered.forget)
    await listen(client, APPENDED, hints["sequencer"].set)
    await listen(client, SEQUENCED, lambda: _wake(hints))


def _wake(hints: Mapping[str, Hint]) -> None:
    """Let those look who follow the log."""
    for name in FOLLOWING:
        hints[name].set()


async def _keep(name: str, make: Callable[[], Worker], stop: asyncio.Event) -> None:
    """Run a worker until told to stop, and again after whatever ended it."""
    pause = FIRST_PAUSE_SECONDS
    loop = asyncio.get_running_loop()
    note(name, WorkerCondition.STARTING)
    while not stop.is_set():
        began = loop.time()
        try:
            try:
                await make().run(stop)
            finally:  # before anybody is told of the pause
                if loop.time() - began > STEADY_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
        except StoreUnavailable:
            note(name, WorkerCondition.WAITING, "Postgres is away")
            log.warning("worker_waits_for_postgres", worker=name, delay_s=pause)
        except ForeignLog as error:
            pause = LONGEST_PAUSE_SECONDS
            note(name, WorkerCondition.HALTED, str(error))
            log.error("worker_halted", worker=name, reason=str(error))  # noqa: TRY400 - where it was raised tells nobody anything
        except Exception as error:  # a loop's edge: the others go on, and this one begins again from what is stored
            note(name, WorkerCondition.WAITING, type(error).__name__)
            log.exception("worker_failed", worker=name, delay_s=pause)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def main() -> None:
    settings = settings_source.load().settings
    logging.configure(level=settings.log_level, style=settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(sys.argv[1:], InForce(settings)))


if __name__ == "__main__":
    main()
