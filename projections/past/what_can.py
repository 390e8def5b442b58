"""What a person, a service account or an API key could do at a moment, and by what."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName, StreamName
from domain.permission import Permission
from projections.past.answer import Answer, standing
from projections.past.facts import Name
from projections.past.moments import Moment
from projections.past.rights import What, rights
from projections.past.snapshot import Given, Snapshot, look
from projections.past.walks import Place, walk
from projections.periods import Mark
from projections.projection import category_of
from projections.reading import ReadModels


class By(StrEnum):
    """What gave it."""

    ROLE = "role"
    SERVICE_ACCOUNT = "service_account"
    API_KEY = "api_key"


class Right(Struct, frozen=True, kw_only=True, tag_field="type", tag="right"):
    """What one role, one audience of a service account, or one API key gave."""

    by: By
    id: str
    """The role's name, the service account's or the key's id."""
    permissions: tuple[Permission, ...]
    audience: AudienceName | None
    needs_factor: Requirement
    until: datetime | None
    cites: Sequence[Mark]


async def what_can(models: ReadModels, stream: StreamName, then: Moment, *, after: Place | None = None, limit: int = 50) -> Answer[Right]:
    """List what whoever has this stream could do, then what their API keys could. Raises StoreUnavailable."""
    walked = await walk(models, rights, [Name(What.OWNER, stream)], then, after=after, limit=limit)
    keys = [period.stream for period in walked.periods]
    seen = await look(models, then, [stream, *keys])
    how, cites = await standing(models, seen, stream)
    first = own(seen, stream) if after is None else ()
    rows = [right for right in (*first, *(_of_key(seen, key) for key in keys)) if right.permissions]
    return Answer(then=then, rows=rows, next_after=walked.next_after, standing=how, cites=cites, erased=stream in seen.erased)


def own(seen: Snapshot, stream: StreamName) -> Sequence[Right]:
    match category_of(stream):
        case "client":
            return [_right(By.SERVICE_ACCOUNT, stream, given) for given in seen.service(stream)]
        case "api_key":
            return [_of_key(seen, stream)]
        case _:
            return () if seen.barred(stream) else [_of_role(seen, period.fact.name, period.since) for period in seen.of(stream, What.ROLE)]


def _of_role(seen: Snapshot, role: str, granted: Mark) -> Right:
    name = RoleName(role)
    given = seen.role(name)
    requirement, demanded = seen.demand(name)
    return Right(
        by=By.ROLE, id=name, permissions=given.permissions, audience=None, needs_factor=requirement, until=None,
        cites=(granted, *given.cites, *demanded),
    )  # fmt: skip


def _of_key(seen: Snapshot, stream: StreamName) -> Right:
    ends = seen.one(stream, What.KEY_UNTIL)
    return _right(By.API_KEY, stream, seen.key(stream), until=None if ends is None else ends.fact.until)


def _right(by: By, stream: StreamName, given: Given, until: datetime | None = None) -> Right:
    return Right(
        by=by, id=stream.partition("-")[2], permissions=given.permissions, audience=given.audience, needs_factor=Requirement.NONE,
        until=until, cites=given.cites,
    )  # fmt: skip
