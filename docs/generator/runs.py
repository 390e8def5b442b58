"""`reference/runs.md`: every run that measures or breaks something, the command of each, and what it wrote last."""

from pathlib import Path

import msgspec

from bench.arguments import RUNS
from docs.generator.markdown import code, document, table
from docs.generator.measured import REFERENCE, Taken

_INTRODUCTION = """
Every figure in these documents comes from a run that anybody can repeat: one command in a clone, on a machine where nothing else runs.
Each writes a page with what was done and seen, the machine, the versions and the method; `--publish` puts it here, with its figures as
JSON.
"""
_AFTER = """
`--quick` does a little of each, to see that it works; `minos bench` takes the names of some parts as well
([arguments](cli.md#minos-bench)). Figures of different machines are not compared. [What limits each figure](speed.md), and what
installations need by these figures: [sizing](sizing.md). What the faults look like to whoever runs Minos:
[what fails, and what follows](../explanation/failures.md).
"""
_SHOWS = {
    "benchmarks": "what one process does, and how soon things arrive, each beside what was asked for",
    "peers": "the same calls of Minos and of other servers, on one core, with one PostgreSQL and one load",
    "growth": "how much slower and larger 10 and 100 times as many people make it",
    "soak": "one machine under load, with one fault after another: what clients saw, and that nothing acknowledged was lost",
    "cluster": "several machines: each part and each link lost, a rolling restart, a rolling upgrade",
}


def page(folder: Path = REFERENCE) -> str:
    rows = [(_SHOWS[name], code(_command(name)), _last(folder, name)) for name in ("benchmarks", *RUNS)]
    return document("Runs", _INTRODUCTION, table(["What it shows", "Command", "Last output"], rows), _AFTER)


def _command(name: str) -> str:
    return f"./minos bench{f' {name}' if name in RUNS else ''} --publish"


def _last(folder: Path, name: str) -> str:
    path = folder / f"{name}.json"
    if not path.exists():
        return "not published yet"
    where = msgspec.json.decode(path.read_bytes(), type=Taken).circumstances
    return f"[{name}]({name}.md): {where.taken_at:%Y-%m-%d}, {where.cores} cores, {where.processor}"
