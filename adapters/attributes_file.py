"""Reads which attributes accounts may have: a TOML table for each. Everything wrong is told at once."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from adapters import plain_file
from domain.attributes import MOST, AttributeName, Kind, Rule

SETTING = "MINOS_ATTRIBUTES_FILE"
_LARGEST_FILE = 256 * 1024


class BadAttributes(Exception):
    """The file cannot be used. `problems`: every one found, in words for the operator."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(f"{SETTING}: {problem}" for problem in problems)
        super().__init__("\n".join(self.problems))


def load(file: Path | None) -> dict[str, Rule]:
    """Give each attribute's rule by its name; none without a file. Raises BadAttributes."""
    if file is None:
        return {}
    try:
        tables = tomllib.loads(plain_file.small(file, most=_LARGEST_FILE).decode())
    except OSError as error:
        raise BadAttributes([f"{file}: {error.strerror}"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadAttributes([f"no TOML: {error}"]) from error
    rules: dict[str, Rule] = {}
    problems = [] if len(tables) <= MOST else [f"more than {MOST} attributes"]
    for name, table in tables.items():
        try:
            rules[msgspec.convert(name, AttributeName)] = _rule(table)
        except msgspec.ValidationError as error:
            problems.append(f"[{name[:64]}]: {error}")
    if problems:
        raise BadAttributes(problems)
    return rules


def _rule(table: Any) -> Rule:
    rule = msgspec.convert(table, Rule)
    if rule.choices and rule.kind not in {Kind.STRING, Kind.STRINGS}:
        raise msgspec.ValidationError("only texts have choices")
    return rule
