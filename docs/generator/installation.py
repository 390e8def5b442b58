"""What an installation of a size needs, worked out from what one answer costs."""

from collections.abc import Mapping, Sequence
from math import ceil

from msgspec import Struct

from adapters.settings import Settings
from cli.server_checks import OF_AN_API_PROCESS, OF_THE_WORKERS

BUSY = 0.5
"""Share of a core that is planned with: the rest is for bursts, checkpoints, and whoever takes over when one dies."""
FEWEST = 2
"""API processes and worker processes: one of each may die."""
OTHERS = 13
"""Connections of `migrate`, `backup`, `doctor` and people, and the three that PostgreSQL keeps for superusers."""

OPEN_SHARE = 0.1
SIGN_INS_SHARE = 0.005
CHECKS_A_MINUTE = 1.0
PAGES_A_MINUTE = 0.2
ACTIVE_SHARE = 0.3
ACTIVE_MINUTES = 60.0
SIGN_INS_A_DAY = 0.5


class Demand(Struct, frozen=True, kw_only=True):
    """What people do at the busiest minute, and how many events a day leaves."""

    people: int
    per_second: Mapping[str, float]
    """By call, under the names that `cpu_ms_per_answer` has."""
    events_a_day: float


class Need(Struct, frozen=True, kw_only=True):
    """`cores`: busy ones of each part at the busiest minute; what is to be had is that by `BUSY`."""

    cores: Mapping[str, float]
    api_processes: int
    connections: int

    @property
    def cores_to_have(self) -> int:
        return ceil(sum(self.cores.values()) / BUSY)


def demand(people: int) -> Demand:
    """What the assumptions of this module come to for so many people."""
    clients, life = people * OPEN_SHARE, Settings().access_token_ttl
    per_second = {
        "logins": people * SIGN_INS_SHARE / 60,
        "refreshes": clients / life,
        "sessions": clients * CHECKS_A_MINUTE / 60,
        "me": clients * PAGES_A_MINUTE / 60,
    }
    refreshes_a_day = ACTIVE_MINUTES * 60 / life
    return Demand(people=people, per_second=per_second, events_a_day=people * ACTIVE_SHARE * (SIGN_INS_A_DAY + refreshes_a_day))


def need(of: Demand, cpu_ms: Mapping[str, Mapping[str, float]], parts: Sequence[str]) -> Need:
    """`cpu_ms`: processor time of each part for one answer, by call, in milliseconds."""
    cores = {part: sum(rate * cpu_ms[call][part] for call, rate in of.per_second.items()) / 1000 for part in parts}
    processes = max(FEWEST, ceil(cores["api"] / BUSY))
    connections = processes * OF_AN_API_PROCESS + FEWEST * OF_THE_WORKERS + OTHERS
    return Need(cores=cores, api_processes=processes, connections=ceil(connections / 10) * 10)
