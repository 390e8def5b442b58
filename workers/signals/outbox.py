"""The set of live signals in Postgres: what is folded into it, what NATS has of it, and who does that now."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from adapters.postgres import Link
from adapters.postgres_sql import statements
from adapters.signal_stream import SignalEnd
from commands.ports import StoredHead
from domain.ids import AudienceName, StreamName, TokenId
from domain.signals.facts import SignalClass
from domain.signals.telling import GivenToken
from workers.signals.due import Acknowledged, Due, due_of
from workers.signals.given_tokens import GivenTokens, columns

SQL = statements(Path(__file__).with_suffix(".sql"))

LEASE_SECONDS = 2.0
"""Twice a beat: whoever was killed is followed before any subscriber calls itself blind."""


class State(Struct, frozen=True):
    """How far the log was folded, the longest life of an access token so far, and which audiences hear of roles."""

    position: int
    epoch: int
    life: int
    told: frozenset[AudienceName]


class Row(Struct, frozen=True):
    of_class: SignalClass
    subject: str
    fact: bytes
    until: int | None


class Completeness(Struct, frozen=True):
    """What was committed before `complete_to` is among the first `size` events; None where nobody can tell."""

    size: int
    complete_to: datetime | None


class Outbox:
    """Everything here raises StoreUnavailable. For one caller at a time."""

    def __init__(self, url: str) -> None:
        self._link = Link(url)
        self.tokens = GivenTokens(self._link)

    async def begin(self) -> None:
        await self._link.fetch(SQL["begin"])

    async def state(self) -> State:
        ((position, epoch, life, told),) = await self._link.read(SQL["state"])
        return State(position, epoch, life, frozenset(AudienceName(name) for name in told))

    async def catalogue(self) -> Sequence[StoredHead]:
        return [
            StoredHead(stream=StreamName(row[0]), version=row[1], state=row[2], state_version=row[3])
            for row in await self._link.read(SQL["catalogue"])
        ]

    async def fold(
        self,
        after: int,
        through: int,
        *,
        epoch: int,
        life: int,
        told: Sequence[tuple[SignalClass, bool]],
        rows: Sequence[Row],
        given: Iterable[GivenToken] = (),
        over: Sequence[TokenId] = (),
    ) -> bool:
        """Take facts in and move on to `through`, in one transaction. False where somebody else has been there: then nothing happened.

        Of service tokens those `given` are kept until they have ended, or are `over`."""
        ((counts,),) = await self._link.fetch(
            SQL["fold"],
            after,
            through,
            epoch,
            life,
            [name for name, _ in told],
            [people for _, people in told],
            [row.of_class for row in rows],
            [row.subject for row in rows],
            [row.fact for row in rows],
            [row.until for row in rows],
            *columns(given),
            over,
        )
        return counts is not None

    async def halt(self, reason: str) -> None:
        await self._link.fetch(SQL["halt"], reason)

    async def completeness(self) -> Completeness:
        ((size, complete_to),) = await self._link.read(SQL["completeness"])
        return Completeness(size, complete_to)

    async def beat(self, holder: UUID, complete_to: datetime | None) -> bool:
        """Hold the lease and say up to when everything is here. False where somebody else holds it."""
        ((held,),) = await self._link.fetch(SQL["beat"], holder, LEASE_SECONDS, complete_to)
        return bool(held)

    async def let_go(self, holder: UUID) -> None:
        await self._link.fetch(SQL["let_go"], holder)

    async def due(self, limit: int, acknowledged: Sequence[Acknowledged] = ()) -> Sequence[Due]:
        """Say how each class stands. `acknowledged`: what may not be noted yet."""
        known = [[each.of_class for each in acknowledged], [each.epoch for each in acknowledged], [each.sent for each in acknowledged]]
        of_class = groupby(await self._link.read(SQL["due"], limit, *known), key=itemgetter("class"))
        return [due_of(list(rows)) for _, rows in of_class]

    async def note(self, acknowledged: Collection[Acknowledged]) -> None:
        classes, epochs, sent, sequences = zip(*((a.of_class, a.epoch, a.sent, a.sequence) for a in acknowledged), strict=True)
        await self._link.fetch(SQL["sent"], classes, epochs, sent, sequences)

    async def newest(self, of_class: SignalClass) -> tuple[int, int]:
        """Give the epoch of a class, and its newest count."""
        ((epoch, count),) = await self._link.read(SQL["newest"], of_class)
        return epoch, count

    async def holds(self, of_class: SignalClass, sent: int) -> bool:
        """Tell whether any of what NATS acknowledged up to that count has to be there still."""
        ((found,),) = await self._link.read(SQL["holds"], of_class, sent)
        return bool(found)

    async def fact_of(self, of_class: SignalClass, count: int) -> bytes | None:
        rows = await self._link.read(SQL["fact_of"], of_class, count)
        return rows[0][0] if rows else None

    async def renew(self, due: Due, end: SignalEnd) -> None:
        """Begin another epoch, in which all that holds is sent anew."""
        seen = due.epoch if end.last is None else end.last.feed.epoch
        await self._link.fetch(SQL["renew"], due.of_class, due.epoch, seen, end.sequence)

    async def sign_with(self, due: Due, kid: str) -> None:
        """Begin another epoch where the one there is was signed with another key."""
        await self._link.fetch(SQL["sign_with"], due.of_class, due.epoch, kid)

    async def resume(self, due: Due, end: SignalEnd) -> None:
        await self._link.fetch(SQL["resume"], due.of_class, due.epoch, end.sequence)

    async def resent(self, due: Due) -> None:
        await self._link.fetch(SQL["resent"], due.of_class, due.epoch)

    async def close(self) -> None:
        await self._link.close()
