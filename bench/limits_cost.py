"""What counting every request costs: two authorities that differ by their limits alone, asked in turns."""

import asyncio
from pathlib import Path

from bench.load import Plan, drive, request
from bench.over_http import SESSION_CONNECTIONS, member, port_of
from bench.processes import cpu_seconds
from bench.running import Running
from bench.scale import Measuring

HERE = Path(__file__).parent
RAISED, NONE = HERE / "limits_raised.toml", HERE / "limits_none.toml"
"""Limits that no load reaches, so that each request is counted and none refused; and none at all."""
_PARTS = ("api", "postgres")


async def measure(folder: Path, measuring: Measuring, **settings: str) -> None:
    """Each turn with limits is held against the two without before and after it."""
    counting = Running(folder / "counting", **(settings | {"limits_file": str(RAISED)}))
    free = Running(folder / "free", **(settings | {"limits_file": str(NONE)}))
    async with counting, free:
        plans = {each: await _plan(each, measuring) for each in (counting, free)}
        before = await _per_answer(free, plans[free])
        for _ in range(measuring.scale.turns):
            measuring.told("limits")
            counted, after = await _per_answer(counting, plans[counting]), await _per_answer(free, plans[free])
            measuring.rounds.add(limits_cost=100 * (1 - (before + after) / 2 / counted))
            before = after


async def _plan(running: Running, measuring: Measuring) -> Plan:
    connections = min(SESSION_CONNECTIONS, measuring.scale.people)
    people = [await asyncio.to_thread(member, running.url, number) for number in range(connections)]
    texts = [request("GET", "/api/v1/auth/session", token=person.access_token) for person in people]
    return Plan(port=port_of(running), requests=texts, seconds=max(0.3, measuring.scale.seconds / 8))


async def _per_answer(running: Running, plan: Plan) -> float:
    """Give the processor time of one answer: a process answers as many a second as fit into a core, whatever else the machine does."""
    began = sum(cpu_seconds(running.pid(part)) for part in _PARTS)
    tally = await drive(plan)
    if set(tally.statuses) != {"200"}:
        raise RuntimeError(f"answers were {tally.statuses}")
    return (sum(cpu_seconds(running.pid(part)) for part in _PARTS) - began) / (tally.per_second * (plan.seconds + plan.warm_up))
