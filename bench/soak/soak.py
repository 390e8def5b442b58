"""A bounded run: clients, a service and a subscriber, and faults one after another."""

import asyncio
import random
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import httpx
from msgspec import Struct

from bench.report import Circumstances
from bench.soak.acknowledged import Acknowledged, against
from bench.soak.administrator import Chief
from bench.soak.answers import Answers
from bench.soak.clients import Client
from bench.soak.course import Course, Seen
from bench.soak.faults import Fault
from bench.soak.follower import Follower
from bench.soak.ground import Ground, Tell
from bench.soak.listener import AUDIENCE, Listener, listening
from bench.soak.lives import ALL, MIXED
from bench.soak.log_so_far import LogSoFar, differs, still
from bench.soak.outcome import Outcome
from bench.soak.truth import all_checked

CLIENTS = 8
PAUSE_S = 0.04
LAST_REFUSALS_S = 20.0


class Wanted(Struct, frozen=True, kw_only=True):
    """`again`: repeat faults by chance until the time for them is over. `minutes`: of faults alone; what is checked comes after."""

    faults: Sequence[Fault]
    minutes: float
    seed: int
    again: bool


async def soak(ground: Ground, wanted: Wanted, where: Circumstances, tell: Tell) -> Outcome:
    """Raises what keeps it from going on; faults that do not pass are in the outcome."""
    told, answers, stop = Acknowledged(), Answers(), asyncio.Event()
    follower, log = Follower(ground.running), LogSoFar(told)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10.0, limits=httpx.Limits(max_connections=64)))
        chief = Chief(http, ground.running)
        await chief.begin(ground.running.bootstrap_code)
        listener = await stack.enter_async_context(listening(ground.running))
        await stack.enter_async_context(_beside(chief.renew(), follower.run()))
        course = Course(ground, answers, listener, follower, log)
        clients = [
            Client(http, told, chief, service=listener, answers=answers, where=lambda: ground.url, audience=AUDIENCE, pause=PAUSE_S)
            for _ in range(CLIENTS)
        ]  # fmt: skip
        lives = MIXED if where.quick else ALL
        living = [asyncio.create_task(c.run(lives[at:] + lives[:at], stop)) for at, c in enumerate(clients)]
        try:
            await _begun(course)
            faults = await _course(course, wanted, tell)
        finally:
            stop.set()
            lived = await asyncio.gather(*living, return_exceptions=True)
        broken = [f"a client ended: {each!r}" for each in lived if isinstance(each, BaseException)]
        tell("checking everything against the log")
        lasted = monotonic() - course.began
        await _refused_in_time(listener)
        await still(ground.running.database_url, erased=told.kinds().get("erasure.asked.v1", 0))
        events, checks = await all_checked(ground.running)
        event_ids = [event["event_id"] for event in events]
        checks = {
            **checks,
            "every command that was acknowledged is there once, and none that was refused": "; ".join(against(told, events)[:20]),
            "a subscriber saw each event once": "; ".join(differs(follower.seen, event_ids)[:20]),
            "`minos audit verify`": await _audited(ground),
        }
    return Outcome(
        circumstances=where, seed=wanted.seed, minutes=wanted.minutes, clients=CLIENTS,
        disk=ground.disk.mounted if ground.disk is not None and ground.disk.is_there else "the folder's own file system",
        requests=len(answers.all), failed=sum(not each.well for each in answers.all), acknowledged=told.kinds(), events=len(events),
        faults=faults, checks=checks, service_accepted=listener.accepted, service_refused=len(listener.waited),
        longest_revocation_s=max((each.seconds for each in listener.waited), default=0.0),
        wrong=[*told.wrong, *listener.wrong, *broken], seconds=answers.per_second(course.began, int(lasted)),
    )  # fmt: skip


async def _begun(course: Course) -> None:
    try:
        await course.steady()
    except TimeoutError:
        raise RuntimeError("the authority does not answer everybody even before anything was done to it: is the machine busy?") from None


async def _course(course: Course, wanted: Wanted, tell: Tell) -> Sequence[Seen]:
    chance, until = random.Random(wanted.seed), monotonic() + wanted.minutes * 60
    met: list[Seen] = []
    left = list(wanted.faults)
    while left or (wanted.again and monotonic() < until):
        fault = left.pop(0) if left else chance.choice(wanted.faults)
        if monotonic() >= until:
            met.append(Seen(name=fault.name, title=fault.title, skipped="no time was left"))
            continue
        tell(f"{len(met) + 1:3}. {fault.title}")
        seen = await course.meet(fault)
        met.append(seen)
        tell("     " + (f"not done: {seen.skipped}" if seen.skipped else f"well after {seen.steady_s:.1f} s" + _worries(seen)))
    return met


def _worries(seen: Seen) -> str:
    found = [*seen.lost, *seen.skipped_events, *seen.wrong]
    return "".join(f"\n     WRONG: {each}" for each in found[:5])


async def _refused_in_time(listener: Listener) -> None:
    """Let the service hear of what was over at the end. What it has not heard by then it has noted as wrong itself."""
    until = monotonic() + LAST_REFUSALS_S
    while listener.pending and monotonic() < until:
        await asyncio.sleep(0.1)
    listener.wrong += [f"a service still accepted {listener.pending} tokens that were over at the end"] if listener.pending else []


async def _audited(ground: Ground) -> str:
    done = await ground.running.minos("audit", "verify", within=300)
    return "" if done.code == 0 else (done.err or done.out).strip()[-500:]


@asynccontextmanager
async def _beside(*loops: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
