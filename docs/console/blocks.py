"""Finds what a document tells its reader to type, and what it says will come back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```console\b(?P<how>.*)$")
_FILE = re.compile(r"^```\w+ (?P<name>[\w.-]+\.\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "```"
PROMPT, MORE = "$ ", "> "


@dataclass(frozen=True, slots=True)
class Step:
    """One command with the output shown beneath it. Lines are counted from 1; the output is lines `first` to before `last`."""

    command: str
    expected: tuple[str, ...]
    line: int
    first: int
    last: int


def steps(document: Path) -> list[Step]:
    """Give every step in order. A line `$ ` begins a command, `> ` goes on with it; the rest, up to the next, is its output."""
    return list(_steps(document.read_text().splitlines()))


def files(document: Path) -> dict[str, str]:
    """Give the files a document shows in whole, by name: blocks whose fence names one after the language."""
    return {found["name"]: found["text"] for found in _FILE.finditer(document.read_text())}


def _steps(lines: list[str]) -> Iterator[Step]:
    number = 0
    while number < len(lines):
        if _FENCE.match(lines[number]):
            number += 1
            while lines[number] != _END:
                step = _step(lines, number)
                yield step
                number = step.last - 1
        number += 1


def _step(lines: list[str], start: int) -> Step:
    if not lines[start].startswith(PROMPT):
        raise ValueError(f"line {start + 1}: a console block begins with a command")
    number = start + 1
    command = [lines[start].removeprefix(PROMPT)]
    while lines[number].startswith(MORE):
        command.append(lines[number].removeprefix(MORE))
        number += 1
    first = number
    while lines[number] != _END and not lines[number].startswith(PROMPT):
        number += 1
    return Step("\n".join(command), tuple(lines[first:number]), start + 1, first + 1, number + 1)
