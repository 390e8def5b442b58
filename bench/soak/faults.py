"""What is done to an authority, in the order in which it is done."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from bench.soak import clocks, crowds, disks, kills, stores
from bench.soak.ground import Ground


def _nothing(_: Ground) -> str:
    return ""


class Fault(Struct, frozen=True, kw_only=True):
    """`harm` does it, and returns when it is over; what died runs again then. `lacks` says what keeps it from being done here."""

    name: str
    title: str
    harm: Callable[[Ground], Awaitable[None]]
    lacks: Callable[[Ground], str] = _nothing
    holds: bool = False
    """Whether it lasts for a while: long enough for `minos doctor` to look at it."""


def _killed(name: str, what: str, harm: Callable[[Ground], Awaitable[None]]) -> Fault:
    return Fault(name=name, title=f"kill -9: {what}", harm=harm)


FAULTS: Sequence[Fault] = (
    _killed("answering", "a process that answers", kills.answering),
    _killed("workers", "the workers", kills.workers),
    _killed("nats", "NATS", kills.nats),
    _killed("postmaster", "PostgreSQL's postmaster", kills.postmaster),
    _killed("hashing", "a process that hashes", kills.hashing),
    _killed("api", "the API", kills.api),
    _killed("backend", "a backend of PostgreSQL", kills.backend),
    _killed("supervisor", "`minos up`", kills.supervisor),
    _killed("whole", "everything at once", kills.whole),
    Fault(name="nats_emptied", title="NATS emptied", harm=stores.nats_emptied),
    Fault(name="nats_rolled_back", title="NATS set back to a copy", harm=stores.nats_rolled_back),
    Fault(name="postgres_fast", title="PostgreSQL restarted", harm=stores.postgres_fast),
    Fault(name="postgres_immediate", title="PostgreSQL restarted at once", harm=stores.postgres_immediate),
    Fault(name="disk_full", title="disk full below PostgreSQL", harm=disks.full, lacks=disks.no_small_disk, holds=True),
    Fault(name="disk_slow", title=f"disk {disks.DELAY_MS} ms late", harm=disks.slow, lacks=disks.no_strace, holds=True),
    Fault(name="clock_api", title="clock of an API ±25 s", harm=clocks.of_an_api, lacks=clocks.no_faketime, holds=True),
    Fault(name="clock_workers", title="clock of workers ±25 s", harm=clocks.of_workers, lacks=clocks.no_faketime, holds=True),
    Fault(name="crowd_postgres", title="all connections of PostgreSQL taken", harm=crowds.of_postgres, holds=True),
    Fault(name="crowd_api", title=f"{crowds.IDLE} idle connections to the API", harm=crowds.of_the_api, holds=True),
    Fault(name="crowd_nats", title="NATS may open no more files", harm=crowds.of_nats, holds=True),
)
QUICK = ("workers", "postmaster")
