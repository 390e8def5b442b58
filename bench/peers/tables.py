"""The tables of the page, each a heading and its rows; none where nothing of it was measured."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.goals import Figure
from bench.peers.figures import TITLES, WHATS, Comparison
from bench.peers.kinds import OURS
from bench.peers.results import Measured, Results
from bench.peers.target import OPERATIONS
from bench.report import shown

_SLOWER = 0.9
"""A share of the usual pace below which a round is named."""
Rows = Sequence[Sequence[str]]


def spread(values: Sequence[float]) -> str:
    return f"{shown(min(values))} to {shown(max(values))}"


def of_figures(figures: Sequence[Figure]) -> Sequence[str]:
    rows = [[f.goal.title, shown(f.value), spread(f.rounds), shown(f.goal.must), shown(f.goal.aim), f.verdict] for f in figures]
    return _table("", "what | ratio | rounds | must | aim | reached", rows)


def of_comparisons(compared: Sequence[Comparison]) -> Sequence[str]:
    rows = [[WHATS[one.operation], TITLES[one.against], shown(one.ratio), spread(one.ratios)] for one in compared]
    return _table("Minos divided by others", "operation | divided by | ratio | rounds", rows)


def of_operations(results: Results) -> Sequence[str]:
    rows: list[list[str]] = []
    for operation, title in OPERATIONS.items():
        of_it = {target: seen for target in TITLES if (seen := results.of(target, operation))}
        for target in sorted(of_it, key=lambda target: -_median(of_it[target], _rate)):
            seen = of_it[target]
            failed = sum(n for one in seen for n in one.failed.values())
            row = [shown(_median(seen, _rate)), spread([one.per_second for one in seen])]
            row += [shown(_median(seen, lambda one: one.p50_ms)), shown(_median(seen, lambda one: one.p99_ms))]
            row += [f"{_median(seen, lambda one: one.server_ms):.3f}", f"{_median(seen, lambda one: one.cpu_ms['postgres']):.3f}"]
            row += [f"{_median(seen, lambda one: one.other_core):.0%}", str(failed)]
            rows.append([title, TITLES[target], *row])
    heads = "operation | server | 1/s | rounds | p50 ms | p99 ms | server CPU ms | PostgreSQL CPU ms | other core | errors"
    return _table("Operations", heads, rows)


def of_parts(results: Results) -> Sequence[str]:
    """Ours alone: what each process takes, so that what answers is seen apart from what works behind it."""
    rows: list[list[str]] = []
    parts: Sequence[str] = ()
    for operation, title in OPERATIONS.items():
        if seen := results.of(OURS, operation):
            parts = tuple(seen[0].cpu_ms)
            rows.append([title, *(f"{median(one.cpu_ms[part] for one in seen):.3f}" for part in parts)])
    return _table("Minos by process, CPU milliseconds for one answer", " | ".join(["operation", *parts]), rows)


def of_sign_ins(results: Results) -> Sequence[str]:
    rows: list[list[str]] = []
    for target, title in TITLES.items():
        seen = results.of(target, "sign_in")
        checked = [one.hashed for one in results.checked if one.target == target]
        if seen and checked:
            rate, verify = _median(seen, _rate), median(one.verify_ms for one in checked)
            rows.append([title, checked[0].kind, shown(verify), shown(rate), f"{rate * verify / 1_000:.2f}"])
    heads = "server | hash | bare check, CPU ms | sign-ins 1/s | sign-ins / bare checks"
    return _table("Sign-ins by their hashes", heads, rows)


def of_memory(results: Results) -> Sequence[str]:
    rows: list[list[str]] = []
    for target, title in TITLES.items():
        if seen := [one for one in results.served if one.target == target]:
            starts, idle, loaded = ([getattr(one, name) for one in seen] for name in ("start_s", "idle_mb", "loaded_mb"))
            rows.append([title, shown(median(starts)), spread(starts), shown(median(idle)), shown(median(loaded))])
    return _table("Start-up and memory", "server | ready after s | rounds | idle MB | after load MB", rows)


def of_stores(results: Results) -> Sequence[str]:
    rows: list[list[str]] = []
    for what in ("append", "projection", "reading"):
        for target, title in TITLES.items():
            if (rates := list(results.rates(target, what).values())) and not results.of(target, what):
                rows.append([WHATS[what], title, shown(median(rates)), spread(rates)])
    return _table("Event stores, events per second", "what | store | 1/s | rounds", rows)


def of_pace(results: Results) -> Sequence[str]:
    """Say in which rounds the server's core was slower than usual."""
    if not (usual := results.usual_pace):
        return []
    slow = [
        f"- {TITLES[one.target]}, {WHATS[one.operation]}, round {one.round}: {one.pace / usual:.0%}"
        for one in results.paced
        if one.pace < _SLOWER * usual
    ]
    return [
        "## Pace of the server's core", "",
        f"A loop beside each measurement took {1_000 / usual:.1f} ns of processor time a turn (median of the run).",
        f"Below {_SLOWER:.0%} of that pace:" if slow else f"None was below {_SLOWER:.0%} of that pace.", "",
        *([*slow, ""] if slow else []),
    ]  # fmt: skip


def _table(heading: str, heads: str, rows: Rows) -> Sequence[str]:
    if not rows:
        return []
    columns = heads.split(" | ")
    words = next((n for n in range(len(columns)) if rows[0][n][:1].isdigit() or rows[0][n] == "-"), len(columns))
    rule = "|".join("---" if n < words else "---:" for n in range(len(columns)))
    lines = [f"| {heads} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows), ""]
    return [f"## {heading}", "", *lines] if heading else lines


def _rate(one: Measured) -> float:
    return one.per_second


def _median(seen: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return median(map(of, seen))
