"""What was measured, as a page, and as JSON for programs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.growth.calls import CALLS, COMMANDS, CONNECTIONS, HASHES, READS
from bench.growth.chart import draw
from bench.growth.figures import figures, ratio
from bench.growth.locks import LOOK_S
from bench.growth.measuring import PARTS, Measured, Scale
from bench.report import Circumstances, shown

_FEW_ROWS = 1_000
_LARGE = 0.005
"""A relation of less than this share of the database is counted among the others."""


def write(folder: Path, sizes: Sequence[Measured], scale: Scale, where: Circumstances) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"circumstances": where, "figures": [figure.row for figure in figures(sizes)], "sizes": sizes}
    (folder / "growth.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (folder / "growth.md").write_text("\n".join(_page(sizes, scale, where)), encoding="utf-8")
    draw(folder / "growth.svg", sizes)


def _page(sizes: Sequence[Measured], scale: Scale, where: Circumstances) -> Sequence[str]:
    return [
        "# Growth",
        "",
        "Written by `minos bench growth --publish`; do not edit. One authority of each size, all at once on one machine, each with its",
        "PostgreSQL, NATS, one API process and the workers.",
        "",
        f"{where.cores} cores, {where.processor}; {where.system}; Python {where.python}; {where.taken_at:%Y-%m-%d};"
        f" load before {where.load_before}" + ("; **a quick run: the figures mean little**" if where.quick else ""),
        "",
        "| what | measured | unit | must | aim | reached |",
        "|---|---:|---|---:|---:|---|",
        *(
            f"| {f.goal.title} | {shown(f.value)} | {f.goal.unit} | {shown(f.goal.must)} | {shown(f.goal.aim)} | {f.verdict} |"
            for f in figures(sizes)
        ),
        "",
        "![The median answer of each call by size](growth.svg)",
        "",
        *_answers(sizes),
        *_others(sizes),
        *_disk(sizes),
        *_walks(sizes),
        *_method(sizes, scale),
    ]


def _answers(sizes: Sequence[Measured]) -> Sequence[str]:
    first = sizes[0]
    lines = [
        "## Answers over HTTP",
        "",
        "Milliseconds: p50 / p99, and processor time of API and PostgreSQL for one answer. The ratios are of the p50, to the smallest.",
        "",
        _row("call", *(f"{size.users:,} users" for size in sizes), *(f"{size.users / first.users:g}x / 1x" for size in sizes[1:])),
        "|---|" + "---:|" * (2 * len(sizes) - 1),
    ]
    for call in CALLS:
        cells = [size.calls[call.key] for size in sizes]
        ratios = [shown(ratio(first, size, call.key)) for size in sizes[1:]]
        lines.append(_row(call.title, *(f"{shown(c.p50_ms)} / {shown(c.p99_ms)}, {shown(c.cpu_ms)}" for c in cells), *ratios))
    refused = {size.users: sum(each.refused for each in size.calls.values()) for size in sizes}
    told = ", ".join(f"{count:,} with {users:,} users" for users, count in refused.items())
    return [*lines, "", f"Answers that were no success: {told}.", ""]


def _others(sizes: Sequence[Measured]) -> Sequence[str]:
    rows: Sequence[tuple[str, Callable[[Measured], float]]] = (
        ("events", lambda size: size.filled.events),
        ("`minos up` again, s", lambda size: size.start_s),
        ("appends, 64 callers, 1/s", lambda size: size.append_rate),
        ("mixed writes without pause, 1/s", lambda size: size.waits.writes_per_second),
        ("waits for PostgreSQL's own latches meanwhile, %", lambda size: size.waits.latch_percent),
        ("rebuild of users, events/s", lambda size: size.filled.rebuilt["users"]),
        ("rebuild of sessions, events/s", lambda size: size.filled.rebuilt["sessions"]),
        *((f"memory of {part}, just started, MB", lambda size, part=part: size.memory_idle[part]) for part in PARTS),
        *((f"memory of {part}, after load, MB", lambda size, part=part: size.memory[part]) for part in PARTS),
        ("filling: copy, with positions, stream, tree and signals, s", lambda size: size.filled.seconds["copy"]),
        ("filling: all read models, s", lambda size: size.filled.seconds["read models"]),
    )
    return [
        "## Everything else",
        "",
        _row("what", *(f"{size.users:,} users" for size in sizes)),
        "|---|" + "---:|" * len(sizes),
        *(_row(title, *(shown(of(size)) for size in sizes)) for title, of in rows),
        "",
    ]


def _disk(sizes: Sequence[Measured]) -> Sequence[str]:
    last = sizes[-1]
    total = sum(each.bytes for each in last.relations)
    large = [each for each in last.relations if each.bytes >= _LARGE * total]
    others = total - sum(each.bytes for each in large)
    per_user = [f"{sum(each.bytes for each in size.relations) / size.users:,.0f} with {size.users:,} users" for size in sizes]
    return [
        "## Disk",
        "",
        f"Bytes of the database per user, with ten events each: {', '.join(per_user)}. With {last.users:,} users:",
        "",
        "| table or index | MB | bytes per user | bytes per event |",
        "|---|---:|---:|---:|",
        *(_relation(f"`{each.name}`{', index' if each.index else ''}", each.bytes, last) for each in large),
        _relation("all others", others, last),
        _relation("**all of the database**", total, last),
        _relation("NATS, its copy of the log", last.stream_bytes, last),
        "",
    ]


def _relation(name: str, size: int, of: Measured) -> str:
    return _row(name, f"{size / 1e6:,.1f}", f"{size / of.users:,.0f}", f"{size / of.filled.events:,.1f}")


def _walks(sizes: Sequence[Measured]) -> Sequence[str]:
    lines = [
        "## Plans",
        "",
        "Tables that PostgreSQL read from end to end while all of the above was asked and all workers ran, as its own counters tell, with",
        f"more than {_FEW_ROWS:,} rows read a time: such a table grows, and a plan that walks through it has no index to go by.",
        "",
    ]
    walked = [(size, each) for size in sizes for each in size.walks if each.rows > _FEW_ROWS * each.times]
    if not walked:
        return [*lines, "None, at any size.", ""]
    return [
        *lines,
        "| table | users | times | rows read | rows it has |",
        "|---|---:|---:|---:|---:|",
        *(_row(f"`{each.name}`", f"{size.users:,}", f"{each.times:,}", f"{each.rows:,}", f"{each.live:,}") for size, each in walked),
        "",
    ]


def _method(sizes: Sequence[Measured], scale: Scale) -> Sequence[str]:
    verified = ", ".join(f"{size.users:,}" for size in sizes if size.verified)
    pace = f"{scale.rounds} rounds of {scale.seconds:g} s each, twice that for what hashes"
    rates = f"{READS:g}/s, other calls {COMMANDS:g}/s, what hashes {HASHES:g}/s, over {CONNECTIONS} connections"
    return [
        "## How it is taken",
        "",
        "- **People** are made by the real decisions and encodings, ten events each over sixty days: an account opened and its address",
        "  proved, a sign-in, and then most come back four times, a fifth signs out and in again, a tenth gets a role, and some lose it,",
        "  make an API key, change their name or language, are suspended, sign out everywhere or get a service account. Rows are copied in",
        "  as the append function would have left them. Sequencer, publisher, integrator and signal worker follow meanwhile, the read",
        "  models are rebuilt, one on each core, and the tables are vacuumed. Everybody has the same password, its hash sealed for each.",
        "- **Sizes** are measured in turns: each call at every size before the next one, another size first in each round. The others rest",
        f"  meanwhile, which takes some of the machine. {pace}; medians of the rounds, and ratios",
        "  within a round.",
        f"- **Answers** are asked for at a steady pace, late starts counted: reads of one's own and of one user {rates}.",
        "  Who is looked at, searched and signed in is drawn from all there are. Asking who could do something is written into the log,",
        "  too.",
        "- **Lock waits** are the share of sessions seen at work that waited for a lock, by a look at `pg_stat_activity` every",
        f"  {LOOK_S * 1000:g} ms while refreshes, sign-ins, registrations and roles came as fast as they were answered.",
        "- **Appends** are sessions begun, one event each, by the event store in this process.",
        "- **Memory** counts what several processes share once. PostgreSQL has 128 MB of buffers.",
        f"- **The log holds**: `minos audit verify` found nothing in the end with {verified or 'no'} users; it is not run on larger ones.",
        "",
    ]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
