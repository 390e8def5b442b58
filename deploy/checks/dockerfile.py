"""Reads a Dockerfile: as much of the format as ours uses."""

import json
import re
import shlex
from pathlib import Path

from msgspec import Struct


class Step(Struct, frozen=True):
    instruction: str
    text: str

    @property
    def words(self) -> list[str]:
        """Of an exec form its parts; else what a shell would make of it."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    @property
    def sources(self) -> list[str]:
        """Of COPY: what is copied, without options and the target."""
        return [word for word in self.words if not word.startswith("--")][:-1]


def stages(path: Path) -> list[list[Step]]:
    """Give the steps of each stage, FROM first. Raises ValueError for what is no instruction."""
    found: list[list[Step]] = []
    text = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE))
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if not instruction.isupper() or not rest:
            raise ValueError(f"{path}: {line!r} is no instruction")
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append(Step(instruction, rest.strip()))
    return found


def of(steps: list[Step], instruction: str) -> list[Step]:
    return [step for step in steps if step.instruction == instruction]


def environment(steps: list[Step]) -> dict[str, str]:
    """What ENV sets, with `$PATH` of the base image."""
    base = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    pairs = (word.partition("=") for step in of(steps, "ENV") for word in step.words)
    return {"PATH": base} | {name: value.replace("$PATH", base) for name, _, value in pairs}
