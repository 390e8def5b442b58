"""What a run says: a page with tables, the same as JSON, and a chart."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.chart import COLOURS, Bar, draw_bars
from bench.peers import tables
from bench.peers.figures import TITLES, WHATS, Comparison, comparisons, figures
from bench.peers.kinds import STORE
from bench.peers.measuring import Amount
from bench.peers.results import Results
from bench.peers.tables import spread
from bench.peers.versions import pinned
from bench.report import Circumstances, shown, table

_METHOD = Path(__file__).parent / "method.md"
_INSTALLED = ("better-auth", "better-auth-oauth", "fastapi-users", "oidc-provider", STORE)
_HIGHEST = 100.0


class Written(Struct, frozen=True, kw_only=True):
    """All that goes into the page. `left_out`: targets, and the programs that they lacked."""

    results: Results
    where: Circumstances
    versions: Mapping[str, str]
    amount: Amount
    left_out: Mapping[str, str]


def write(folder: Path, written: Written) -> None:
    """Write peers.md, peers.json and peers.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    compared = comparisons(written.results)
    document = {
        "circumstances": written.where,
        "versions": {**written.versions, **{name: pinned(name) for name in _INSTALLED}},
        "amount": written.amount,
        "figures": [figure.row for figure in figures(written.results)],
        "comparisons": compared,
        "left_out": written.left_out,
        "rounds": written.results,
    }
    (folder / "peers.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (folder / "peers.md").write_text(_page(written, compared), encoding="utf-8")
    bars = [Bar(_named(one), one.ratio, COLOURS["aim" if one.ratio >= 1 else "MISS"]) for one in compared]
    draw_bars(folder / "peers.svg", "Minos / the other, operations per second; right of the line Minos is faster", bars, highest=_HIGHEST)


def summary(written: Written) -> str:
    """Give the figures and comparisons as lines for a terminal."""
    judged = figures(written.results)
    lines = [f"{_named(one):<60}  {shown(one.ratio):>8}  ({spread(one.ratios)})" for one in comparisons(written.results)]
    return "\n".join([*([table(judged), ""] if judged else []), *lines, *written.results.failures])


def _page(written: Written, compared: Sequence[Comparison]) -> str:
    where, results = written.where, written.results
    lacking = [
        *(f"- **Left out:** {TITLES[name]}: {program} is not installed" for name, program in written.left_out.items()),
        *(f"- **Failed:** {failure.splitlines()[0]}" for failure in results.failures),
    ]
    head = [
        "# Beside others", "",
        "Written by `minos bench peers --publish`; do not edit. Every server in turn on one core, with the same PostgreSQL and load.", "",
        f"{where.cores} cores, {where.processor}; {where.system}; {where.taken_at:%Y-%m-%d}; load before {where.load_before};"
        f" {written.amount.rounds} rounds of {shown(written.amount.seconds)} s"
        + ("; **a quick run: the figures mean little**" if where.quick else ""), "",
        *([*lacking, ""] if lacking else []),
    ]  # fmt: skip
    body = [
        *tables.of_figures(figures(results)),
        "![Rates of Minos divided by those of others](peers.svg)", "",
        *tables.of_comparisons(compared),
        *tables.of_operations(results),
        *tables.of_parts(results),
        *tables.of_sign_ins(results),
        *tables.of_memory(results),
        *tables.of_stores(results),
        *tables.of_pace(results),
        *_versions(written.versions),
        _METHOD.read_text(encoding="utf-8"),
    ]  # fmt: skip
    return "\n".join([*head, *body])


def _versions(running: Mapping[str, str]) -> Sequence[str]:
    said = [", ".join(f"{name} {number}" for name, number in running.items())]
    said += [f"{name}: " + ", ".join(f"{package} {number}" for package, number in pinned(name).items()) for name in _INSTALLED]
    return ["## Versions", "", *(f"- {line}" for line in said), ""]


def _named(one: Comparison) -> str:
    return f"{WHATS[one.operation]} / {TITLES[one.against]}"
