"""Measures everything: `python -m bench`, which is `minos bench`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import structlog

from adapters.scratch import scratch
from bench import audits, hops, limits_cost, over_http, passwords, past, rebuilds, report, revocations, sdk_costs, starts, store_costs
from bench.arguments import PARTS, RUNS, arguments
from bench.goals import Rounds
from bench.running import Running
from bench.scale import FULL, QUICK, Measuring, Scale

BY_ITSELF: Mapping[str, Callable[[Path, Measuring], Awaitable[None]]] = {
    "store": store_costs.measure,
    "rebuild": rebuilds.measure,
    "audit": audits.measure,
    "past": past.measure,
    "passwords": passwords.measure,
    "start": starts.measure,
}
"""What needs nothing that others need as well."""


async def measure(parts: Sequence[str], scale: Scale, told: Callable[[str], None]) -> tuple[Rounds, report.Costs]:
    """Measure parts one after the other, each on servers of its own in a folder that is removed."""
    measuring = Measuring(scale, Rounds(), told)
    costs: report.Costs = {}
    chosen = {"access_token_ttl": "3600", "trusted_proxies": "127.0.0.1/32", "log_level": "warning", "limits_file": str(limits_cost.RAISED)}
    for part in parts:
        with scratch("minos-bench-") as folder:
            match part:
                case "hops":
                    async with Running(folder, **chosen) as running:
                        await hops.measure(running, measuring)
                case "http":
                    async with Running(folder, **chosen) as running:
                        costs = (await over_http.measure(running, measuring)).per_answer
                case "limits":
                    await limits_cost.measure(folder, measuring, **chosen)
                case "revocations":
                    await revocations.measure(folder, measuring, **chosen)
                case "sdk":
                    await sdk_costs.measure(measuring)
                case _:
                    await BY_ITSELF[part](folder, measuring)
    return measuring.rounds, costs


def run(args: argparse.Namespace) -> int:
    """Give 0, also when a figure misses its goal: machines differ; the table says so. 2 for a part that there is not."""
    if unknown := set(args.parts) - set(PARTS) - set(RUNS):
        print(f"minos: there is no part {', '.join(sorted(unknown))}; there are {', '.join((*PARTS, *RUNS))}", file=sys.stderr)
        return 2
    if set(args.parts) & set(RUNS) and len(args.parts) > 1:
        print(f"minos: {', '.join(RUNS)} are each run alone", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)  # what cannot be written is to be known before anything is measured
    for each in (signal.SIGINT, signal.SIGTERM):  # either is Ctrl-C, also in the background: all that was started is stopped
        signal.signal(each, signal.default_int_handler)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if args.parts and args.parts[0] in RUNS:
        run_alone: Callable[[argparse.Namespace], int] = import_module(f"bench.{args.parts[0]}.run").run
        return run_alone(args)
    where = report.circumstances(quick=args.quick)
    rounds, costs = asyncio.run(measure(args.parts or PARTS, QUICK if args.quick else FULL, _tell))
    figures = rounds.figures()
    report.write(args.out, figures, costs, where)
    print((args.out / "benchmarks.json").read_text() if args.json else report.table(figures))
    if args.publish:
        report.publish(args.out, "benchmarks")
    return 0


def _tell(what: str) -> None:
    print(f"  {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(arguments(argparse.ArgumentParser(prog="python -m bench", description=__doc__)).parse_args()))
