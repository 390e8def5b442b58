"""Which sessions of an account lived at a moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from domain import user
from domain.codec import decode_event, tag_of
from domain.ids import AudienceName, ClientId, SessionId, UserId
from domain.session_events import AuthMethod, SessionStarted, TokenIssued
from projections.past import facts
from projections.past.answer import Answer, standing
from projections.past.facts import Name
from projections.past.moments import Moment
from projections.past.rights import What
from projections.past.signed_in import Of, signed_in
from projections.past.snapshot import look
from projections.past.walks import Place, walk
from projections.periods import Mark, Period
from projections.reading import ReadModels
from projections.sql import beside

_SQL = beside(__file__)


class SessionThen(Struct, frozen=True, kw_only=True, tag_field="type", tag="session"):
    session_id: SessionId
    client_id: ClientId
    audiences: tuple[AudienceName, ...]
    amr: tuple[AuthMethod, ...]
    """What was shown at the sign-in."""
    started_at: datetime
    idle_expires_at: datetime
    """As it was at that moment: by the last token the session had been given."""
    expires_at: datetime
    cites: Sequence[Mark]


async def sessions_of(
    models: ReadModels, user_id: UserId, then: Moment, *, after: Place | None = None, limit: int = 50
) -> Answer[SessionThen]:
    """List those that had begun and neither been ended, nor left behind by their account, nor run out. Raises StoreUnavailable."""
    stream = user.stream(user_id)
    walked = await walk(models, signed_in, [Name(Of.USER, stream)], then, after=after, limit=limit)
    seen = await look(models, then, [stream])
    how, cites = await standing(models, seen, stream)
    risen = seen.one(stream, What.EPOCH)
    epoch = 1 if risen is None or risen.fact.number is None else risen.fact.number
    streams = [period.stream for period in walked.periods]
    own = await facts.at(models, signed_in, streams, then.position)
    records = await models.fetch(signed_in, _SQL["first_and_last"], streams, tag_of(TokenIssued), then.position)
    details = {record["stream"]: record for record in records}
    rows = [
        row
        for period in walked.periods
        if period.stream in details
        and _epoch(own.get(period.stream, ()), period) >= epoch
        and (row := _lived(period, details[period.stream], then)) is not None
    ]
    # Of a session whose events were moved away with a part of the log it cannot be told whether it had run out.
    then = replace(then, held_back=(*then.held_back, *(name for name in streams if name not in details)))
    return Answer(then=then, rows=rows, next_after=walked.next_after, standing=how, cites=cites, erased=stream in seen.erased)


def _epoch(held: Sequence[Period], started: Period) -> int:
    numbers = [period.fact.number for period in (started, *held) if period.fact.number is not None]
    return max(numbers)


def _lived(period: Period, record: asyncpg.Record, then: Moment) -> SessionThen | None:
    """Give a session that had not run out."""
    event = decode_event(tag_of(SessionStarted), record["first"])
    if not isinstance(event, SessionStarted):
        raise TypeError(f"{period.stream} begins otherwise")
    idle = _idle_until(event, record)
    if then.at >= min(idle, event.expires_at):
        return None
    return SessionThen(
        session_id=SessionId(UUID(period.stream.removeprefix("session-"))),
        client_id=event.client_id,
        audiences=event.audiences,
        amr=event.amr,
        started_at=event.at,
        idle_expires_at=idle,
        expires_at=event.expires_at,
        cites=(period.since,),
    )


def _idle_until(event: SessionStarted, record: asyncpg.Record) -> datetime:
    """A token that is pruned says no more when its session would have been idle too long: its time and the session's terms do."""
    if record["last_at"] is None:
        return event.expires_at
    if record["last"]:
        issued = decode_event(tag_of(TokenIssued), record["last"])
        if isinstance(issued, TokenIssued):
            return issued.idle_expires_at
    given_at: datetime = record["last_at"]
    return min(given_at + timedelta(seconds=event.idle_ttl), event.expires_at)
