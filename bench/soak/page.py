"""The page of a soak, written from what it came to."""

from collections.abc import Sequence

from bench.report import shown
from bench.soak import clocks, crowds, disks
from bench.soak.course import Seen
from bench.soak.listener import PROMISE_S
from bench.soak.outcome import Outcome


def page(outcome: Outcome) -> str:
    where = outcome.circumstances
    return "\n".join([
        "# Soak",
        "",
        "Written by `minos bench soak --publish`; do not edit. A whole authority on one machine is used by clients that never give up,",
        "while one fault after another is done to it; afterwards all that clients were told is looked for in the log.",
        "",
        f"{where.cores} cores, {where.processor}; {where.system}; Python {where.python}; {where.taken_at:%Y-%m-%d}; seed {outcome.seed};"
        f" {len(outcome.seconds)} s; PostgreSQL on {outcome.disk}"
        + ("; **a quick run: two faults only**" if where.quick else ""),
        "",
        *_summary(outcome),
        "",
        "![Requests in each second, and the faults](soak.svg)",
        "",
        "## What was done, and what was seen",
        "",
        "Seconds from the beginning of a fault. *Held*: until it was over, and what it killed ran again. *Answered*: until the first",
        "success after the last failure. *Well*: until requests succeeded for a second, every read model, checkpoint and NATS had caught",
        "up, and the service knew everything. *Gap*: the longest time in which no request succeeded. p99 in milliseconds, of requests",
        "that succeeded, in the five seconds before and until all was well.",
        "",
        "| | fault | held | answered | well | gap | answers | p99 before | p99 during | lost | skipped |",
        "|---:|---|---:|---:|---:|---:|---|---:|---:|---:|---:|",
        *(_row(number, seen) for number, seen in enumerate(outcome.faults, 1)),
        "",
        *_told(outcome.faults),
        "",
        *_checked(outcome),
        "",
        *_method(outcome),
        "",
    ])  # fmt: skip


def _summary(outcome: Outcome) -> list[str]:
    effects = sum(outcome.acknowledged.values())
    verdict = "Nothing acknowledged was lost, nothing was skipped, nobody was served stale rights."
    wrong = [*outcome.lost, *outcome.wrong, *(f"{seen.title}: {each}" for seen in outcome.faults for each in seen.wrong)]
    wrong += [f"{what}: {each}" for what, each in outcome.checks.items() if each]
    return [
        f"**{verdict}**" if outcome.is_whole else "**Not all is as it has to be:**",
        *([] if outcome.is_whole else ["", *(f"- {each}" for each in wrong[:40])]),
        *([f"- and {len(wrong) - 40} more"] if len(wrong) > 40 else []),
        "",
        f"{outcome.requests:,} requests, {outcome.failed:,} of them without an answer or with 5xx; {effects:,} effects acknowledged,",
        f"{outcome.events:,} events.",
        f"The service accepted {outcome.service_accepted:,} tokens that held and refused {outcome.service_refused:,} that were over, the",
        f"slowest {shown(outcome.longest_revocation_s)} s after that was acknowledged; the promise is {shown(PROMISE_S)} s.",
    ]


def _row(number: int, seen: Seen) -> str:
    if seen.skipped:
        return f"| {number} | {seen.title} | not done: {seen.skipped} |" + " |" * 8
    before, during = seen.before, seen.during
    answers = "" if during is None else ", ".join(f"{n} x {status}" for status, n in during.statuses.items())
    parts = [
        *(f"{seconds:.1f}" for seconds in (seen.harm_s, seen.answered_s, seen.steady_s)),
        shown(during.longest_without_s if during else None),
        answers,
        *(shown(window.p99_ms if window else None) for window in (before, during)),
        *(str(len(missing)) for missing in (seen.lost, seen.skipped_events)),
    ]
    return f"| {number} | {seen.title} | " + " | ".join(parts) + " |"


def _told(faults: Sequence[Seen]) -> list[str]:
    lines = [
        "## What it said of itself",
        "",
        "Readiness was asked five times a second over new connections; `minos doctor` was called while a fault held. *Blind*: seconds in",
        "which the service knew that it did not know, and refused everybody. *Revoked*: the longest from an acknowledged revocation to the",
        "service's refusal.",
        "",
        "| | fault | readiness | doctor | blind | revoked |",
        "|---:|---|---|---|---:|---:|",
    ]
    for number, seen in enumerate(faults, 1):
        if not seen.skipped:
            ready = ", ".join(f"{n} x {what}" for what, n in sorted(seen.ready.items()))
            doctor = "<br>".join(each.replace("|", "\\|") for each in seen.doctor) or "-"
            lines.append(f"| {number} | {seen.title} | {ready} | {doctor} | {seen.blind_s:.1f} | {seen.longest_revocation_s:.2f} |")
    return lines


def _checked(outcome: Outcome) -> list[str]:
    return [
        "## What was checked at the end",
        "",
        "| what | |",
        "|---|---|",
        *(f"| {what} | {wrong or 'so it is'} |" for what, wrong in outcome.checks.items()),
        "",
        "Acknowledged, and looked for, each once: " + ", ".join(f"{n} x `{kind}`" for kind, n in outcome.acknowledged.items()) + ".",
    ]


def _method(outcome: Outcome) -> list[str]:
    return [
        "## How it is done",
        "",
        "- **The authority** is `minos up` with two processes that answer, cheap hashes and limits that refuse nobody. All its",
        "  workers are one process. What dies is started again by `minos up`; where that died itself, the run starts it.",
        f"- **{outcome.clients} clients** live one life after the other: register, sign in, refresh, get a role and lose it, sign out;",
        "  set up a second factor and sign in with it; sign out everywhere; are suspended and reinstated; make and revoke an API key;",
        "  are erased, a few; are refused what they may not do. Each waits a little between requests, and repeats what had no answer",
        "  or 5xx until it has one: registrations and keys under their idempotency key, refreshes with the same token.",
        "- **A service** with the SDK, in the process of the run, listens over NATS and refuses everybody while it is blind. Twenty",
        "  times a second it verifies every token that is over by what was acknowledged.",
        "- **A subscriber** keeps the position it has reached in the event stream. At the end it has to have seen the log, each event",
        "  once.",
        "- **Clocks** are of one API process, and of one set of workers, beside those of the authority, as of another machine with",
        f"  the same stores: {' s, '.join(clocks.STEPS)} s off in turn. Services put up with 30 s. PostgreSQL's own clock, by which",
        "  is decided, is not touched.",
        f"- **The full disk** is the file system of PostgreSQL's folder, full for {disks.FULL_S:.0f} s. **The slow one** holds up each",
        f"  `fsync` and `fdatasync` of PostgreSQL and NATS by {disks.DELAY_MS} ms for {disks.SLOW_S:.0f} s.",
        f"- **Crowds** last {crowds.TAKEN_S:.0f} s. While PostgreSQL has no connection left, those of Minos are ended as well.",
        "- A killed process loses nothing that the kernel has; no run on one machine shows what a lost kernel loses.",
    ]
