"""What a run has seen, round by round."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct, field

from bench.peers.target import Hashed


class Measured(Struct, frozen=True, kw_only=True):
    """One operation of one target in one round."""

    target: str
    operation: str
    round: int
    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    failed: dict[str, int]
    """What was no good answer, by status, or `wrong`, or `lost`."""
    cpu_ms: dict[str, float]
    """Processor time for one answer, by part; `postgres` is one of them."""
    other_core: float
    """Share of the other core that PostgreSQL and the load driver took: near 1, it is they who limit the rate."""
    pace: float
    """Of the server's core."""

    @property
    def server_ms(self) -> float:
        """What all the target's own processes take for one answer."""
        return sum(took for part, took in self.cpu_ms.items() if part != "postgres")


class Served(Struct, frozen=True, kw_only=True):
    target: str
    round: int
    start_s: float
    idle_mb: float
    loaded_mb: float


class Checked(Struct, frozen=True, kw_only=True):
    """The bare cost of a target's password hash in one round."""

    target: str
    round: int
    hashed: Hashed


class Stored(Struct, frozen=True, kw_only=True):
    """What one event store did in one round: `append`, `projection` or `reading`, events per second."""

    target: str
    operation: str
    round: int
    per_second: float
    pace: float


class Results(Struct, kw_only=True):
    measured: list[Measured] = field(default_factory=list[Measured])
    served: list[Served] = field(default_factory=list[Served])
    checked: list[Checked] = field(default_factory=list[Checked])
    stored: list[Stored] = field(default_factory=list[Stored])
    failures: list[str] = field(default_factory=list[str])
    """Rounds of targets that came to nothing, and why."""

    def of(self, target: str, operation: str) -> Sequence[Measured]:
        return [one for one in self.measured if (one.target, one.operation) == (target, operation)]

    def rates(self, target: str, operation: str) -> dict[int, float]:
        """Give operations per second by round; of a store where the operation is one of its."""
        served = {one.round: one.per_second for one in self.of(target, operation)}
        return served or {one.round: one.per_second for one in self.stored if (one.target, one.operation) == (target, operation)}

    @property
    def usual_pace(self) -> float:
        return median([one.pace for one in self.paced] or [0.0])

    @property
    def paced(self) -> "Sequence[Measured | Stored]":
        """What the sampler saw anything of."""
        everything: list[Measured | Stored] = [*self.measured, *self.stored]
        return [one for one in everything if one.pace]
