"""Write all vectors anew: `python -m minos_sdk.conformance.making [folder]`."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from minos_sdk.conformance.making import forging, freshness, internal, key_sets, merging, signals, tokens
from minos_sdk.conformance.making.world import World
from minos_sdk.conformance.vectors_of import FOLDER

Cases = Callable[[World], Iterable[dict[str, Any]]]
FILES: dict[str, tuple[str, bool, list[Cases]]] = {
    "tokens": ("Access tokens: good ones, and genuine ones that are not good here or now.", True,
               [tokens.good, tokens.in_time, tokens.lacking, tokens.of_other_kinds, tokens.of_others, tokens.badly_written]),
    "forged-tokens": ("Access tokens as attackers write them.", True, [forging.forged]),
    "key-sets": ("Key sets with keys in them that are not for this.", True, [key_sets.unfit]),
    "signals": ("Signals: good ones, and what only looks like one.", True, [signals.told, signals.forged]),
    "merging": ("What signals come to, in any order and number.", True,
                [merging.ended, merging.epochs, merging.narrowed, merging.given_by_roles, merging.lost]),
    "freshness": ("Knowing what was revoked, and knowing that one does not.", True,
                  [freshness.fresh, freshness.attacked, freshness.since, freshness.clocks]),
    "readiness": ("Before anything is known.", False, [freshness.unready]),
    "internal": ("What a gateway hands on.", True, [internal.handed_on, internal.of_each_kind]),
}  # fmt: skip
"""By file: what it is about, and whether its cases begin with a verifier that is ready."""


def made() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each file's name and content, with keys that nobody has."""
    world = World()
    for name, (about, ready, parts) in FILES.items():
        preamble = [world.configure(), *([world.snapshot()] if ready else [])]
        cases = [case for part in parts for case in part(world)]
        yield name, {"format": 1, "about": about, "preamble": preamble, "cases": cases}


def write(folder: Path) -> None:
    """One case a line: a change of one shows as one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made():
        before = json.dumps({member: value for member, value in content.items() if member != "cases"})
        cases = ",\n".join(json.dumps(case) for case in content["cases"])
        (folder / f"{name}.json").write_text(f'{before[:-1]}, "cases": [\n{cases}\n]}}\n')


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
