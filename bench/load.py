"""A load driver of our own: HTTP/1.1 over raw keep-alive sockets, in a process of its own, so that measuring costs little.

Run as `python -m bench.load`: it reads a Plan as JSON from its input and writes a Tally as JSON.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter, process_time
from urllib.parse import urlencode

import msgspec
import uvloop
from msgspec import Struct

from bench.connection import WRONG, Connection
from bench.processes import said

LOST = -1
_NAMED = {WRONG: "wrong", LOST: "lost"}


class Plan(Struct, frozen=True, kw_only=True):
    """What to send. Each connection has a text of its own and sends it again and again, waiting for each answer; with `connections`, so
    many share the texts, and each sends its own in turn.

    With `per_second`, all together send at that pace, and a late start counts as waiting. Where a text holds `<refresh>`,
    it is sent with the refresh token of the answer before, beginning with the connection's own of `tokens`; `<number>` is another number
    in every request of a connection.
    """

    port: int
    requests: list[str]
    connections: int = 0
    seconds: float
    warm_up: float = 0.3
    per_second: float = 0.0
    tokens: list[str] = []
    holds: list[str] = []
    """What each good answer to a connection has in it; of any status 2xx when there are none."""
    pause_refused: float = 0.05
    """How long a connection leaves a server alone that answered 503."""


class Tally(Struct, frozen=True, kw_only=True):
    """What came back. Latencies of good answers, in milliseconds; `own_cpu` is the driver's share of one core.

    `statuses` also counts as `wrong` what said 2xx and was something else, and as `lost` connections that ended unanswered.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    in_all: int
    """Good answers, those outside the time that counts too."""
    statuses: dict[str, int]
    own_cpu: float


Driver = Callable[[Plan], Awaitable[Tally]]


async def drive(plan: Plan) -> Tally:
    """Run a plan in another process. Raises RuntimeError when that fails, TimeoutError when it hangs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await said(child, msgspec.json.encode(plan), within=plan.seconds + plan.warm_up + 30)
    if child.returncode:
        raise RuntimeError(f"the load driver ended with exit code {child.returncode}")
    return msgspec.json.decode(out, type=Tally)


def request(
    method: str, path: str, *, body: object = None, token: str | None = None, network: str | None = None, origin: str | None = None
) -> str:
    """Write a request as text. `network` is an address to come from, for a server that trusts us as a proxy."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if origin is not None:
        lines.append(f"Origin: {origin}")
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if network is not None:
        lines.append(f"X-Forwarded-For: {network}")
    text = "" if body is None else msgspec.json.encode(body).decode()
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(text.encode())}"]
    return "\r\n".join(lines) + "\r\n\r\n" + text


def form_request(path: str, fields: Mapping[str, str], *, basic: str) -> str:
    """Write a POST of a form, by a client that proves itself with `basic`, as text."""
    text = urlencode(fields, safe="<>")
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {basic}", "Content-Type: application/x-www-form-urlencoded"]
    return "\r\n".join([*lines, f"Content-Length: {len(text)}"]) + "\r\n\r\n" + text


class _Run:
    """What one plan's connections count together."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.taken: list[float] = []
        self.in_all = 0
        self.statuses: Counter[str] = Counter()
        self.counts_from = self.counts_to = 0.0

    def note(self, status: int, began: float, now: float) -> None:
        """Count what was answered within the time; with a pace, what was due within it, however late the answer."""
        good = WRONG < status < 300
        self.in_all += good
        if self.counts_from <= (began if self.plan.per_second else now) < self.counts_to:
            self.statuses[_NAMED.get(status, str(status))] += 1
            if good:
                self.taken.append(now - began)

    async def asked(self, connection: Connection) -> int:
        """Ask, and connect again where the connection was lost."""
        try:
            return await connection.ask()
        except OSError:
            await connection.connect(self.plan.port)
            return LOST

    async def closed_loop(self, connection: Connection, until: float) -> None:
        """Send the next request as soon as the last is answered."""
        began = perf_counter()
        while began < until:
            status = await self.asked(connection)
            now = perf_counter()
            self.note(status, began, now)
            if status == 503:
                await asyncio.sleep(self.plan.pause_refused)
                now = perf_counter()
            began = now

    def paced(self, share: int, of: int) -> Callable[[Connection, float], Awaitable[None]]:
        """Send by the clock: what was due before the last answer came is late, and its waiting counts."""
        apart = of / self.plan.per_second

        async def send(connection: Connection, until: float) -> None:
            due = perf_counter() + apart * share / of
            while due < until:
                if (ahead := due - perf_counter()) > 0:
                    await asyncio.sleep(ahead)
                self.note(await self.asked(connection), due, perf_counter())
                due += apart

        return send


async def driven(plan: Plan) -> Tally:
    """Run a plan in this process, which has to have time for it."""
    run, count = _Run(plan), plan.connections or len(plan.requests)
    tokens: Sequence[str | None] = plan.tokens or [None] * count
    holds = plan.holds or [""] * count
    shares = (plan.requests[share::count] for share in range(count))
    connections = [Connection(*each) for each in zip(shares, tokens, holds, strict=True)]
    await asyncio.gather(*(connection.connect(plan.port) for connection in connections))
    run.counts_from = perf_counter() + plan.warm_up
    until = run.counts_to = run.counts_from + plan.seconds
    cpu = process_time()
    sends = [run.paced(share, count) if plan.per_second else run.closed_loop for share in range(count)]
    await asyncio.gather(*(send(connection, until) for send, connection in zip(sends, connections, strict=True)))
    took = perf_counter() - run.counts_from
    for connection in connections:
        connection.close()
    ordered = sorted(run.taken) or [0.0]
    return Tally(
        per_second=len(run.taken) / plan.seconds,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[len(ordered) * 99 // 100] * 1000,
        answers=len(run.taken),
        in_all=run.in_all,
        statuses=dict(run.statuses),
        own_cpu=(process_time() - cpu) / (took + plan.warm_up),
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(driven(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
    sys.stdout.buffer.write(msgspec.json.encode(tally))
