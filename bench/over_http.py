"""The API under load over HTTP, everything on this machine: one API process, PostgreSQL, NATS, the workers and the driver."""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from urllib.request import Request, urlopen

import argon2

from bench.load import Plan, Tally, drive, request
from bench.machines import machines, made_account
from bench.processes import cpu_seconds, resident_mb, tree
from bench.running import Running
from bench.scale import Measuring

PASSWORD = "a phrase nobody else would think of"  # noqa: S105 - opens nothing but the accounts made here
QUIET_PER_SECOND = 500.0
FLOOD_CONNECTIONS = 48
"""More than the hash pool keeps waiting, each from a network of its own, so that it is full all the time."""
SESSION_CONNECTIONS = 32
LOGIN_SECONDS = 2.0
"""At least: a hash gives way to everything else on the machine."""
LOGIN_CONNECTIONS = 8
"""As many as one network may have waiting: none is refused, and no thread is ever without work."""


@dataclass(frozen=True, slots=True)
class Member:
    email: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(slots=True)
class Costs:
    """Processor time of each part for one answer, in milliseconds: it says where the time goes, whatever else the machine does."""

    per_answer: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])


async def measure(running: Running, measuring: Measuring) -> Costs:
    costs = Costs()
    await asyncio.sleep(min(3.0, measuring.scale.seconds))
    measuring.rounds.add(memory_idle=_api_memory(running))
    measuring.told("accounts")
    people = [await asyncio.to_thread(member, running.url, number) for number in range(measuring.scale.people)]
    account = await made_account(running)
    for _ in range(measuring.scale.rounds):
        measuring.told("token checks")
        await _checks(running, people, measuring, costs)
        measuring.told("machines")
        await machines(measuring, account, port_of(running))
        measuring.told("refreshes")
        await _refreshes(running, people, measuring, costs)
        measuring.told("logins")
        await _logins(running, people, measuring, costs)
        measuring.told("login flood")
        await _flood(running, people, measuring)
    await asyncio.sleep(min(3.0, measuring.scale.seconds))  # until the flood's last hash is done
    measuring.rounds.add(memory_loaded=_api_memory(running))
    return costs


async def _checks(running: Running, people: list[Member], measuring: Measuring, costs: Costs) -> None:
    for key, path in (("sessions", "/api/v1/auth/session"), ("me", "/api/v1/me"), ("jwks", "/.well-known/jwks.json")):
        texts = [request("GET", path, token=None if key == "jwks" else person.access_token) for person in people[:SESSION_CONNECTIONS]]
        tally = await _costed(running, key, costs, Plan(port=port_of(running), requests=texts, seconds=measuring.scale.seconds))
        measuring.rounds.add(**{key: tally.per_second})


async def _refreshes(running: Running, people: list[Member], measuring: Measuring, costs: Costs) -> None:
    """Every connection goes on with the token of its last answer; each round begins with new sessions."""
    text = request("POST", "/api/v1/auth/refresh", body={"refresh_token": "<refresh>"})
    fresh = [await asyncio.to_thread(_signed_in, running.url, person.email) for person in people[:SESSION_CONNECTIONS]]
    plan = Plan(
        port=port_of(running),
        requests=[text] * len(fresh),
        tokens=[person.refresh_token for person in fresh],
        seconds=measuring.scale.seconds,
    )
    measuring.rounds.add(refreshes=(await _costed(running, "refreshes", costs, plan)).per_second)


async def _logins(running: Running, people: list[Member], measuring: Measuring, costs: Costs) -> None:
    """Bare hashes before and after, so that a machine that changes its pace in between is noticed less."""
    texts = [_login(person.email, None) for person in people[:LOGIN_CONNECTIONS]]
    before = await asyncio.to_thread(bare_hashes, measuring.scale.seconds / 2)
    seconds = max(LOGIN_SECONDS, measuring.scale.seconds)
    tally = await _costed(running, "logins", costs, Plan(port=port_of(running), requests=texts, seconds=seconds))
    hashes = (before + await asyncio.to_thread(bare_hashes, measuring.scale.seconds / 2)) / 2
    measuring.rounds.add(hashes=hashes, logins=tally.per_second, login_ratio=tally.per_second / hashes)


async def _flood(running: Running, people: list[Member], measuring: Measuring) -> None:
    """Wrong passwords for names nobody has, from many networks, while others have their tokens checked at a steady pace."""
    port = port_of(running)
    checks = Plan(
        port=port,
        requests=[request("GET", "/api/v1/auth/session", token=person.access_token) for person in people[:16]],
        per_second=QUIET_PER_SECOND,
        seconds=measuring.scale.seconds,
    )
    strangers = [_login(f"nobody-{n}@example.org", f"198.51.{n}.7") for n in range(FLOOD_CONNECTIONS)]
    quiet = await drive(checks)
    flooding = asyncio.create_task(drive(Plan(port=port, requests=strangers, seconds=measuring.scale.seconds + 1.5, warm_up=0.0)))
    await asyncio.sleep(0.7)
    flooded = await drive(checks)
    measuring.rounds.add(memory_flooded=_api_memory(running))
    await flooding
    measuring.rounds.add(session_p99=quiet.p99_ms, session_p99_flood=flooded.p99_ms, flood_ratio=flooded.p99_ms / quiet.p99_ms)


async def _costed(running: Running, key: str, costs: Costs, plan: Plan) -> Tally:
    parts = ("api", "postgres", "nats", "workers")
    before = {part: cpu_seconds(running.pid(part)) for part in parts}
    tally = await drive(plan)
    if set(tally.statuses) != {"200"}:
        raise RuntimeError(f"{key}: answers were {tally.statuses}")
    answers = tally.per_second * (plan.seconds + plan.warm_up)
    costs.per_answer[key] = {part: (cpu_seconds(running.pid(part)) - before[part]) / answers * 1000 for part in parts}
    return tally


def bare_hashes(seconds: float) -> float:
    """Check one Argon2id hash again and again on every core, in this process, and give how many a second."""
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    encoded = hasher.hash(PASSWORD)
    until = perf_counter() + seconds

    def work() -> int:
        done = 0
        while perf_counter() < until:
            hasher.verify(encoded, PASSWORD)
            done += 1
        return done

    threads = len(os.sched_getaffinity(0))
    began = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(future.result() for future in [pool.submit(work) for _ in range(threads)])
    return done / (perf_counter() - began)


def _api_memory(running: Running) -> float:
    """The process that answers, not the one that keeps it alive, and the one below it that hashes."""
    _, answers, *hashes = tree(running.pid("api"))
    return sum(resident_mb(pid) for pid in (answers, *hashes))


def member(url: str, number: int) -> Member:
    email = f"member-{number}@example.org"
    _post(url, "/api/v1/auth/register", {"email": email, "password": PASSWORD})
    return _signed_in(url, email)


def _signed_in(url: str, email: str) -> Member:
    answer = _post(url, "/api/v1/auth/login", {"email": email, "password": PASSWORD})
    return Member(email, answer["access_token"], answer["refresh_token"])


def _login(email: str, network: str | None) -> str:
    return request("POST", "/api/v1/auth/login", body={"email": email, "password": PASSWORD}, network=network)


def _post(url: str, path: str, body: dict[str, str]) -> dict[str, str]:
    asked = Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own server
    with urlopen(asked, timeout=10) as answer:  # noqa: S310
        received: dict[str, str] = json.load(answer)
    return received


def port_of(running: Running) -> int:
    return int(running.url.rpartition(":")[2])
