"""What a token could do when it was issued, and whether it was revoked since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from domain import client, machine_token, session, token_origin, user
from domain.client_events import ClientDeleted
from domain.codec import decode_event, tag_of
from domain.errors import TokenUntraced
from domain.ids import AudienceName, ClientId, SessionId, StreamName, TokenId, UserId
from domain.machine_token import ServiceTokenIssued, TokenRevoked
from domain.permission import Permission
from domain.session_events import Reauthenticated, SessionStarted, TokenIssued
from domain.token_origin import Origin
from projections.past import facts
from projections.past.moments import Moment, moment, read_when
from projections.past.rights import What, rights
from projections.past.signed_in import signed_in
from projections.past.snapshot import look
from projections.past.what_can import Right, own
from projections.periods import Mark, Period
from projections.reading import ReadModels
from projections.sql import beside

_SQL = beside(__file__)
_ALL = 10_000


class TokenThen(Struct, frozen=True, kw_only=True):
    then: Moment
    """Just after the event that it was issued by."""
    user_id: UserId | None
    session_id: SessionId | None
    client_id: ClientId | None
    audience: AudienceName | None
    """None where the events do not say: a token of a step-up is for what the one before was for."""
    permissions: tuple[Permission, ...] | None
    """That are in a service token itself; None of a person's, which has `rights`."""
    rights: Sequence[Right]
    """What the person's roles gave then."""
    expires_at: datetime | None
    revoked: Mark | None
    """The event that ended it before its time. That its time is over is none."""
    erased: bool
    cites: Sequence[Mark]


async def token_then(models: ReadModels, jti: str) -> TokenThen:
    """Raises TokenUntraced where the log does not say, LogDetached where it lies elsewhere, StoreUnavailable."""
    if (origin := token_origin.read(jti)) is not None:
        return await _of_person(models, origin)
    try:
        token_id = TokenId(UUID(jti))
    except ValueError:
        raise TokenUntraced from None
    return await _of_service(models, machine_token.stream(token_id))


async def _of_person(models: ReadModels, origin: Origin) -> TokenThen:
    stream = session.stream(origin.session_id)
    records = await models.fetch(rights, _SQL["read"], stream, 0, min(origin.version, _ALL))
    if not records or records[-1]["version"] != origin.version or records[-1]["position"] is None:
        raise TokenUntraced
    then, now = await moment(models, records[-1]["position"]), await moment(models, read_when("now"))
    started: Any = _event(records[0])
    if not isinstance(started, SessionStarted):
        raise TokenUntraced
    issued = next((record for record in reversed(records) if record["type"] == tag_of(TokenIssued)), None)
    said = None if issued is None or not issued["payload"] else _event(issued)
    stepped_up = records[-1]["type"] == tag_of(Reauthenticated)
    known = said if isinstance(said, TokenIssued) and not stepped_up else None
    account = user.stream(started.user_id)
    seen, later = await look(models, then, [account]), await look(models, now, [account])
    lived = (await facts.at(models, signed_in, [stream], then.position)).get(stream, ())
    return TokenThen(
        then=then, user_id=started.user_id, session_id=origin.session_id, client_id=started.client_id,
        audience=None if known is None else known.audience, permissions=None, rights=own(seen, account),
        expires_at=None if known is None else known.access_expires_at,
        revoked=_ended(lived, later.of(account, What.EPOCH)), erased=account in later.erased, cites=(_mark(records[-1]),),
    )  # fmt: skip


def _ended(lived: Sequence[Period], epochs: Sequence[Period]) -> Mark | None:
    """By the end of its session, or by what raised the account's token epoch past its own."""
    epoch = max((period.fact.number or 0 for period in lived), default=0)
    marks = [period.ended for period in lived if period.ended is not None and period.fact.what == "user"]
    marks += [period.since for period in epochs if (period.fact.number or 0) > epoch]
    return min(marks, key=lambda mark: mark.position, default=None)


async def _of_service(models: ReadModels, stream: StreamName) -> TokenThen:
    records = await models.fetch(rights, _SQL["read"], stream, 0, _ALL)
    issued: Any = _event(records[0]) if records else None
    if not isinstance(issued, ServiceTokenIssued) or records[0]["position"] is None:
        raise TokenUntraced
    at = records[0]["position"]
    marks = [_mark(record) for record in records if record["type"] == tag_of(TokenRevoked) and record["position"] is not None]
    marks += await _left_behind(models, client.stream(issued.client_id), at)
    return TokenThen(
        then=await moment(models, at), user_id=None, session_id=None, client_id=issued.client_id,
        audience=issued.audience, permissions=issued.permissions, rights=(), expires_at=issued.expires_at,
        revoked=min(marks, key=lambda mark: mark.position, default=None), erased=False, cites=(_mark(records[0]),),
    )  # fmt: skip


async def _left_behind(models: ReadModels, stream: StreamName, at: int) -> Sequence[Mark]:
    """Give what raised the service account's token epoch after a position, or ended it."""
    records = await models.fetch(rights, _SQL["read"], stream, 0, _ALL)
    epoch, marks = 1, list[Mark]()
    for record in records:
        event = _event(record)
        risen: int = getattr(event, "epoch", 1)
        if record["position"] is not None and record["position"] > at and (risen > epoch or isinstance(event, ClientDeleted)):
            marks.append(_mark(record))
        epoch = max(epoch, risen)
    return marks


def _event(record: asyncpg.Record) -> object:
    return decode_event(record["type"], record["payload"])


def _mark(record: asyncpg.Record) -> Mark:
    return Mark(record["position"], record["recorded_at"], record["event_id"])
