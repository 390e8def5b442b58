"""What was measured, as a table for people, JSON for programs, and a chart."""

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.arguments import HERE
from bench.chart import draw
from bench.goals import Figure

Costs = Mapping[str, Mapping[str, float]]
PARTS = ("api", "postgres", "nats", "workers")


class Circumstances(Struct, frozen=True, kw_only=True):
    """Where and when: figures of different machines are not compared."""

    taken_at: datetime
    cores: int
    processor: str
    python: str
    system: str
    load_before: float
    """How many programs wanted a core in the minute before: above about 0.5, others were at work too."""
    quick: bool


def circumstances(*, quick: bool) -> Circumstances:
    return Circumstances(
        taken_at=datetime.now(UTC).replace(microsecond=0),
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        load_before=round(os.getloadavg()[0], 2),
        quick=quick,
    )


def write(folder: Path, figures: Sequence[Figure], costs: Costs, where: Circumstances) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"circumstances": where, "figures": [figure.row for figure in figures], "cpu_ms_per_answer": costs}
    (folder / "benchmarks.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (folder / "benchmarks.md").write_text(_page(figures, costs, where), encoding="utf-8")
    draw(folder / "benchmarks.svg", figures)


def publish(folder: Path, name: str) -> None:
    """Copy a page, its figures and its chart from where they were written to the documents, and make anew what is computed from them."""
    from docs.generate import main

    for written in folder.glob(f"{name}*.*"):
        shutil.copy(written, HERE.parent / "docs" / "reference" / written.name)
    main(())


def table(figures: Sequence[Figure]) -> str:
    """Give the figures as lines for a terminal."""
    width = max(len(figure.goal.title) for figure in figures)
    lines = [f"{'what':<{width}}  {'measured':>12}  {'unit':<8}  {'must':>9}  {'aim':>9}"]
    lines += [
        f"{f.goal.title:<{width}}  {shown(f.value):>12}  {f.goal.unit:<8}  {shown(f.goal.must):>9}  {shown(f.goal.aim):>9}  {f.verdict}"
        for f in figures
    ]
    return "\n".join(lines)


def shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _page(figures: Sequence[Figure], costs: Costs, where: Circumstances) -> str:
    lines = [
        "# Benchmarks",
        "",
        "Written by `minos bench --publish`; do not edit. Taken with everything on one machine: PostgreSQL, NATS, one API process,",
        "the workers and the load driver.",
        "",
        f"{where.cores} cores, {where.processor}; {where.system}; Python {where.python}; {where.taken_at:%Y-%m-%d};"
        f" load before {where.load_before}"
        + ("; **a quick run: the figures mean little**" if where.quick else ""),
        "",
        "Each figure is the median of its rounds; what is compared was measured in turns. `must` and `aim` are what the design asks for.",
        "",
        "| what | measured | unit | must | aim | reached |",
        "|---|---:|---|---:|---:|---|",
        *(
            f"| {f.goal.title} | {shown(f.value)} | {f.goal.unit} | {shown(f.goal.must)} | {shown(f.goal.aim)} | {f.verdict or '-'} |"
            for f in figures
        ),
        "",
        "![Measured figures as shares of what they must reach](benchmarks.svg)",
        "",
        "## Where the time goes",
        "",
        "Processor time of each part for one answer, in milliseconds.",
        "",
        "| call | api | postgres | nats | workers |",
        "|---|---:|---:|---:|---:|",
        *(f"| {call} | " + " | ".join(f"{parts[part]:.3f}" for part in PARTS) + " |" for call, parts in costs.items()),
        "",
        "## How it is taken",
        "",
        "- **Commands** are appended by the event store in this process, one event of about 250 bytes with 400 bytes of state each,",
        "  with a sequencer beside it. Its cost is one minus the rate with it over the mean of the rates without it before and after.",
        "  The tree's is the same with an integrator, which gives way as beside an API; the second place is a folder on the same disk.",
        "  Before the steady pace of 1,000/s comes a checkpoint, so that what the fastest rounds left is not written beside it: within",
        "  one, single commits waited 50 ms and more for the disk.",
        "- **A long log** is compared with an empty one: the same heads in both, appends to streams picked by chance, after a checkpoint.",
        "  In the first seconds after one, each page of an index that is touched goes to the WAL whole, and the long log has more of them:",
        "  10 kB an append against 5, then 1 and 1. There are three times as many rounds as of the rest, and so there are of costs.",
        "- **Hops** are seen from outside: a subscriber of NATS, and questions to PostgreSQL at each hint or every 5 ms. What watching",
        "  takes of the machine is in the figures.",
        "- **Rebuilds** read a log of accounts and sessions, fold, copy, index, compare with fresh folds and switch.",
        "- **HTTP** is driven by another process over 32 kept connections, each with a session of its own, without pause; logins",
        "  over 8.",
        "- **Limits** are measured on two authorities beside each other, one with limits too wide to refuse anything and one with none",
        "  (`bench/limits_raised.toml`, `bench/limits_none.toml`), in turns: one minus the processor time of an answer without them,",
        "  the mean of before and after, over that with them, which is the share of the rate that they take. All other",
        "  figures are taken with the wide ones.",
        "- **Revocations** are committed by the event store in this process, at 500/s, which hints at them as the API does; a service",
        "  with the SDK in another process, connected over a wire of ours, notes when it would have refused. With every hint lost, what",
        "  reaches it is what the signal worker sent to the stream. NATS is then away for 30 s while revocations go on; the time to all of",
        "  them begins when it answers again. A service is cut off by a wire that goes silent, without closing a connection.",
        "- **The SDK** checks the tokens of 256 people while 100,000 sessions are known to be over; without revocations is reading a token",
        "  alone. Processor time, since a check waits for nothing. A million revocations are sessions, by what a process grows by.",
        "- **The flood** is 48 connections from 48 networks with names nobody has; token checks run beside it at 500/s, late starts",
        "  counted.",
        "- **Bare hashes** are the same Argon2id parameters on every core without anything around them.",
        "- **Memory** is the resident set of the process that answers requests and of the one below it that hashes, each with what it",
        "  shares with others: while hashes of 19 MB each are under way, and three seconds after the last of them, as after any load.",
        "  **Start-up** is from the command to its `ready`.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
