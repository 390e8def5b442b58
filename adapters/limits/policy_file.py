"""Reads the policy: the file that ships, and one of the operator's own laid over it. Everything wrong is told at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from adapters import plain_file
from adapters.limits.policy import Kind, LimitClass, Limits, Rate

SHIPPED = Path(__file__).with_name("default.toml")
SETTING = "MINOS_LIMITS_FILE"
LARGEST, LONGEST, FASTEST = 10_000_000, 7 * 86_400, 100_000
"""Of a rate: how many at once, how many seconds to fill again, how many a second."""
MOST_RATES = 4
_LARGEST_FILE = 256 * 1024
_RATE = re.compile(r"(\d{1,9})/(\d{0,6})([smhd])")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_OPERATION = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class BadLimits(Exception):
    """The policy cannot be used. `problems`: every one found, in words for the operator."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class _Given(Struct, frozen=True, kw_only=True):
    """What one file says of one class."""

    operations: tuple[str, ...] = ()
    rates: Mapping[Kind, tuple[Rate, ...]]


def load(file: Path | None) -> Limits:
    """Give what ships, with the file laid over it. Raises BadLimits."""
    problems: list[str] = []
    raw: Mapping[str, Any] = {} if file is None else _read(file, problems)
    own = _classes(raw, problems)
    if problems:
        raise BadLimits(f"{SETTING}: {problem}" for problem in problems)
    return _laid_over(_classes(_read(SHIPPED, problems), problems), own)


def require_operations(limits: Limits, known: Iterable[str]) -> None:
    """Raises BadLimits where the policy names an operation that there is not."""
    there = set(known)
    named = ((each.name, operation) for each in limits.classes.values() for operation in each.operations)
    if strange := [f"{SETTING}: [{name}]: there is no operation {operation}" for name, operation in named if operation not in there]:
        raise BadLimits(strange)


def _laid_over(shipped: Mapping[str, _Given], own: Mapping[str, _Given]) -> Limits:
    """What one's own file names replaces what ships: a rate of a class, and the class of an operation."""
    moved = {operation for given in own.values() for operation in given.operations}
    nothing = _Given(rates={})
    classes: dict[str, LimitClass] = {}
    for name in dict.fromkeys((*shipped, *own)):
        was, now = shipped.get(name, nothing), own.get(name, nothing)
        kept = tuple(operation for operation in was.operations if operation not in moved)
        classes[name] = LimitClass(name=name, operations=(*kept, *now.operations), rates={**was.rates, **now.rates})
    return Limits(classes=classes)


def _read(path: Path, problems: list[str]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(plain_file.small(path, most=_LARGEST_FILE).decode())
    except plain_file.TooLarge as error:
        problems.append(f"{path}: {error.strerror}")
    except OSError as error:
        problems.append(f"{path} cannot be read ({type(error).__name__})")
    except ValueError as error:  # of TOML, of UTF-8
        problems.append(f"{path}: {error}")
    return {}


def _classes(raw: Mapping[str, Any], problems: list[str]) -> Mapping[str, _Given]:
    classes: dict[str, _Given] = {}
    for name, given in raw.items():
        if not _NAME.fullmatch(name):
            problems.append(f"[{name[:80]}]: a class is named by at most 32 lower-case letters, digits and underscores")
        elif not isinstance(given, dict):
            problems.append(f"{name}: expected a class, which begins with [{name}] on a line of its own")
        else:
            classes[name] = _class(name, cast("Mapping[str, Any]", given), problems)
    every = Counter(operation for each in classes.values() for operation in each.operations)
    problems += [f"{operation} is in two classes" for operation, times in every.items() if times > 1]
    return classes


def _class(name: str, given: Mapping[str, Any], problems: list[str]) -> _Given:
    rates: dict[Kind, tuple[Rate, ...]] = {}
    operations: tuple[str, ...] = ()
    for key, value in given.items():
        texts = _texts(f"[{name}] {key[:80]}", value, problems)
        if key == "operations":
            operations = tuple(text for text in texts if _OPERATION.fullmatch(text))
            problems += [f"[{name}] operations: {text[:80]!r} is no operation's name" for text in texts if text not in operations]
        elif key in set(Kind):
            rates[Kind(key)] = _rates(f"[{name}] {key}", texts, problems)
        else:
            problems.append(f"[{name}]: {key[:80]} is none of operations, {', '.join(Kind)}")
    return _Given(operations=operations, rates=rates)


def _texts(where: str, value: object, problems: list[str]) -> tuple[str, ...]:
    if isinstance(value, list):
        parts = cast("list[object]", value)
        if all(isinstance(part, str) for part in parts):
            return tuple(str(part) for part in parts)
    problems.append(f'{where}: expected a list of texts, such as ["120/1m"]')
    return ()


def _rates(where: str, texts: tuple[str, ...], problems: list[str]) -> tuple[Rate, ...]:
    if len(texts) > MOST_RATES:
        problems.append(f"{where}: at most {MOST_RATES} rates")
    rates = [rate for text in texts if (rate := _rate(where, text, problems)) is not None]
    if len({rate.seconds for rate in rates}) != len(rates):
        problems.append(f"{where}: two rates over the same time")
    return tuple(sorted(rates, key=lambda rate: rate.seconds))


def _rate(where: str, text: str, problems: list[str]) -> Rate | None:
    found = _RATE.fullmatch(text.replace(" ", ""))
    if found is None:
        problems.append(f"{where}: {text[:80]!r} is no rate such as 120/1m: a number, and s, m, h or d")
        return None
    rate = Rate(int(found[1]), int(found[2] or 1) * _UNITS[found[3]])
    if not (1 <= rate.amount <= LARGEST and 1 <= rate.seconds <= LONGEST and rate.amount <= FASTEST * rate.seconds):
        problems.append(f"{where}: {text[:80]!r} is out of bounds: 1 to {LARGEST:,} at once, within 1s to 7d, at most {FASTEST:,} a second")
        return None
    return rate
