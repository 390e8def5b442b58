"""What of a class of signals waits for NATS, and what NATS has acknowledged of it."""

from collections.abc import Sequence

from asyncpg import Record
from msgspec import Struct

from domain.signals.facts import SignalClass


class Waiting(Struct, frozen=True):
    """One row that is to be sent. `ttl` in seconds; None for what is true until the next, below 1 for what has ended."""

    subject: str
    count: int
    fact: bytes
    ttl: int | None


class Acknowledged(Struct, frozen=True):
    """NATS has every signal of a class up to the count `sent`; the newest is `sequence` in the stream."""

    of_class: SignalClass
    epoch: int
    sent: int
    sequence: int


class Due(Struct, frozen=True, kw_only=True):
    """How a class stands, and what of it NATS has not acknowledged: all of it, unless there are as many rows as were asked for."""

    of_class: SignalClass
    epoch: int
    newest: int
    sent: int
    sequence: int
    first_sequence: int
    resending: bool
    beat: int
    kid: str | None
    """What this epoch is signed with; None before anything was."""
    complete_to: int
    halted: bool
    checkpoint: str
    """The newest one of the log that heartbeats of this class tell; empty where they tell none."""
    rows: tuple[Waiting, ...]


def due_of(rows: Sequence[Record]) -> Due:
    """Take what the outbox answered of one class, a row for each that waits, or one without."""
    first = rows[0]
    return Due(
        of_class=first["class"],
        epoch=first["epoch"],
        newest=first["newest"],
        sent=first["sent"],
        sequence=first["sequence"],
        first_sequence=first["first_sequence"],
        resending=first["resend_to"] > 0,
        beat=first["beat"],
        kid=first["kid"],
        complete_to=first["complete_to"],
        halted=first["halted"],
        checkpoint=first["checkpoint"],
        rows=tuple(Waiting(row["subject"], row["count"], row["fact"], row["ttl"]) for row in rows if row["subject"] is not None),
    )
