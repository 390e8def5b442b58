"""The figures that `minos bench` published, as far as pages are made from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

REFERENCE = Path(__file__).parents[1] / "reference"


class Circumstances(Struct, frozen=True, kw_only=True):
    taken_at: datetime
    cores: int
    processor: str


class Taken(Struct, frozen=True, kw_only=True):
    """What the JSON of every run has."""

    circumstances: Circumstances


class Figure(Struct, frozen=True, kw_only=True):
    key: str
    value: float


class Benchmarks(Struct, frozen=True, kw_only=True, dict=True):
    """`benchmarks.json`. `cpu_ms_per_answer`: processor time of each part for one answer, by call, in milliseconds."""

    circumstances: Circumstances
    figures: Sequence[Figure]
    cpu_ms_per_answer: Mapping[str, Mapping[str, float]]

    @cached_property
    def value(self) -> Mapping[str, float]:
        return {figure.key: figure.value for figure in self.figures}


class Judged(Struct, frozen=True, kw_only=True):
    """One figure of a run, and how it compares with its goal: `verdict` is "aim", "must", "MISS", or empty where it has none."""

    key: str
    title: str
    unit: str
    value: float
    must: float | None
    aim: float | None
    verdict: str


class Judging(Struct, frozen=True, kw_only=True):
    figures: Sequence[Judged]


JUDGED = ("benchmarks", "peers", "growth")
"""Runs whose figures have goals."""
OF_EACH_EVENT = ("public.events", "public.log_tiles", "read.audit_events")
"""Relations by the beginnings of their names, indexes too: what every event adds to, whatever it says."""


class Relation(Struct, frozen=True, kw_only=True):
    name: str
    bytes: int


class Filled(Struct, frozen=True, kw_only=True):
    events: int


class Answered(Struct, frozen=True, kw_only=True):
    cpu_ms: float


class Size(Struct, frozen=True, kw_only=True):
    """One authority of `growth.json`. `memory`: megabytes of each part after load, what several processes share counted once."""

    users: int
    filled: Filled
    calls: Mapping[str, Answered]
    memory: Mapping[str, float]
    relations: Sequence[Relation]
    stream_bytes: int

    @property
    def bytes_per_user(self) -> float:
        """With ten events of each user."""
        return sum(each.bytes for each in self.relations) / self.users

    @property
    def bytes_per_event(self) -> float:
        """Of what grows by every event."""
        return sum(each.bytes for each in self.relations if each.name.startswith(OF_EACH_EVENT)) / self.filled.events

    @property
    def streamed_per_event(self) -> float:
        return self.stream_bytes / self.filled.events


class Growth(Struct, frozen=True, kw_only=True):
    """`growth.json`: authorities of several sizes, the smallest first."""

    circumstances: Circumstances
    sizes: Sequence[Size]

    @property
    def largest(self) -> Size:
        return self.sizes[-1]


def benchmarks(folder: Path = REFERENCE) -> Benchmarks:
    return msgspec.json.decode((folder / "benchmarks.json").read_bytes(), type=Benchmarks)


def growth(folder: Path = REFERENCE) -> Growth | None:
    """None where that run was not published."""
    path = folder / "growth.json"
    return msgspec.json.decode(path.read_bytes(), type=Growth) if path.exists() else None


def judged(run: str, folder: Path = REFERENCE) -> Sequence[Judged]:
    """Empty where that run was not published."""
    path = folder / f"{run}.json"
    return msgspec.json.decode(path.read_bytes(), type=Judging).figures if path.exists() else ()
