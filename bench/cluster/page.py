"""What was seen, as a table for people, JSON for programs, a picture, and the page docs/reference/cluster.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.cluster.course import RESTART, UPGRADE, Seen
from bench.report import Circumstances
from bench.soak.picture import draw

_SET_UP = """
              clients      services with the SDK
                 |           |              |
             +---------+     |              |
             |  nginx  |     |              |
             +---------+     |              |
                 |           |              |
   ==============+===========+==============+========== a bridge
     |       |       |       |       |      |      |
   api-1   api-2   work-1  work-2  nats-1 nats-2 nats-3     pg-1 ---> pg-2
                                     (JetStream, R3)       primary  standby
"""


class Found(Struct, frozen=True, kw_only=True):
    """`checks`: what is wrong, by what has to hold. `missing`: acknowledged and not in the log, or there twice. `pending`: revocations
    that a service has not heard of. `seconds`: requests that were answered and that failed, in each second."""

    circumstances: Circumstances
    level: int
    before: str
    no_upgrade: str
    faults: Sequence[Seen]
    checks: Mapping[str, str]
    missing: Sequence[str]
    wrong: Sequence[str]
    pending: int
    events: int
    acknowledged: int
    clients: int
    per_second: float
    hold_s: float
    seconds: Sequence[tuple[int, int]]

    @property
    def holds(self) -> bool:
        return not (any(self.checks.values()) or self.missing or self.wrong or self.pending or any(seen.wrong for seen in self.faults))


def write(folder: Path, found: Found) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cluster.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    (folder / "cluster.md").write_text(_page(found), encoding="utf-8")
    draw(folder / "cluster.svg", found)


def table(found: Found) -> str:
    """Give what was seen as lines for a terminal."""
    width = max(len(seen.title) for seen in found.faults)
    lines = [f"{'what':<{width}}  {'answered':>8}  {'failed':>6}  {'gap':>6}  {'failing':>7}  {'caught up':>9}  {'blind':>6}"]
    lines += [
        f"{s.title:<{width}}  {s.answered:>8}  {s.failed:>6}  {s.longest_without_s:>6.1f}  {s.failing_s:>7.1f}"
        f"  {s.steady_s - s.harm_s:>9.1f}  {s.blind_s:>6.1f}  {s.wrong}"
        for s in found.faults
    ]
    return "\n".join([*lines, *_verdict(found)])


def _verdict(found: Found) -> list[str]:
    lines = [f"{'WRONG' if wrong else 'holds'}: {title}" + (f": {wrong}" if wrong else "") for title, wrong in found.checks.items()]
    for title, several in (
        ("everything acknowledged is in the log, once", found.missing),
        ("every answer is one that may be", found.wrong),
    ):
        lines.append(f"{'WRONG' if several else 'holds'}: {title}" + "".join(f"\n  {each}" for each in several[:20]))
    lines.append(f"{'WRONG' if found.pending else 'holds'}: services refuse everything that was revoked")
    return lines


def _figure(found: Found, title: str) -> str:
    rounds = [seen.failed for seen in found.faults if seen.title == title]
    return " and ".join(map(str, rounds)) if rounds else f"left out: {found.no_upgrade}"


def _page(found: Found) -> str:
    where = found.circumstances
    return "\n".join([
        "# Several machines",
        "",
        "Written by `minos bench cluster --publish`; do not edit. How to build it:",
        "[run on several machines](../how-to/run-on-several-machines.md).",
        "",
        f"{where.cores} cores, {where.processor}; {where.system}; Python {where.python}; {where.taken_at:%Y-%m-%d};"
        f" load before {where.load_before}" + ("; **a quick run: some of the faults, and short ones**" if where.quick else ""),
        "",
        "| what | measured | must |",
        "|---|---:|---:|",
        f"| failed requests in a rolling restart of every process | {_figure(found, RESTART)} | 0 |",
        f"| failed requests in a rolling upgrade over a migration | {_figure(found, UPGRADE)} | 0 |",
        f"| acknowledged effects that are not in the log, of {found.acknowledged:,} | {len(found.missing)} | 0 |",
        f"| events lost or skipped anywhere, of {found.events:,} | {_failed(found.checks)} | 0 |",
        f"| revocations that a service did not hear of | {found.pending} | 0 |",
        "",
        "![Requests in each second, and what happened](cluster.svg)",
        "",
        "## What was done, and what was seen",
        "",
        "```text" + _SET_UP + "```",
        "",
        f"Each fault was left for {found.hold_s:.0f} s. *Gap*: the longest time, in seconds, in which no request succeeded. *Failing*:",
        "seconds from the beginning to the last request that failed. *Caught up*: seconds from the mending until all that was committed by",
        "then was in NATS, in every read model and under a checkpoint. *Blind*: for how long a service knew that it did not know who was",
        "signed out, and refused everybody.",
        "",
        "| | what | answered | failed | gap | failing | caught up | blind |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {number} | {s.title} | {s.answered:,} | {s.failed:,} | {s.longest_without_s:.1f} | {s.failing_s:.1f}"
            f" | {s.steady_s - s.harm_s:.1f} | {s.blind_s:.1f} |"
            for number, s in enumerate(found.faults, 1)
        ),
        "",
        *([] if found.holds else ["**Not all held:**", "", "```text", *_verdict(found), "```", ""]),
        *_method(found),
        "",
    ])  # fmt: skip


def _failed(checks: Mapping[str, str]) -> str:
    return "0" if not any(checks.values()) else f"{sum(map(bool, checks.values()))} checks failed"


def _method(found: Found) -> list[str]:
    before = "" if found.no_upgrade else f" It begins with commit {found.before}, the last one before migration {found.level}."
    return [
        "## How it is taken",
        "",
        "- **Machines** are network namespaces on a bridge, each with an address and a wire of its own, on one computer: a cut wire and a",
        "  killed machine are real, a shared disk and shared cores are not. *Cut off* is silence: nobody closes a connection.",
        "- **The servers** run the files in `deploy/`: `postgres/primary-and-standby.conf`, `nats/cluster.conf`, `nginx/balance.conf`.",
        "  Commits wait for the standby's disk. The part of whoever watches the databases is played by the run: two seconds after it lost",
        "  one it promotes the standby, or lets commits wait for it no longer; the old primary comes back as a fresh copy of the new one.",
        f"- **Clients**, {found.clients} of them with {found.per_second:.0f} requests a second together, register, sign in, refresh, get",
        "  roles and lose them, are suspended and sign out, all through nginx. Failed is a request without an answer in time or answered",
        "  with 500 to 504. They repeat it then as an application would, with the same idempotency key or token.",
        "- **Services** listen at NATS by the SDK, with tokens of their own, and refuse everybody while they are blind.",
        f"- **A rolling upgrade** applies the migration beside what runs, then replaces one process after the other.{before}",
        "- **Afterwards** positions and versions have no gap, every head is what its events fold to, every checkpoint is of the log, NATS'",
        "  stream is the log, what services can read is what the log says, every read model is a fresh fold, and every effect that was",
        "  acknowledged is in the log once.",
    ]
