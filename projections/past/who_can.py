"""Who could do something at a moment: people by their roles, service accounts, and API keys."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from domain import role
from domain.factor_policy import Requirement
from domain.ids import AudienceName, RoleName, StreamName
from domain.permission import Permission, allows, covering
from projections.past import facts
from projections.past.answer import Answer
from projections.past.facts import Name
from projections.past.moments import Moment
from projections.past.rights import What, rights
from projections.past.snapshot import Snapshot, look
from projections.past.walks import Place, all_of, walk
from projections.periods import Mark, Period
from projections.projection import category_of
from projections.reading import ReadModels


class HolderKind(StrEnum):
    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    API_KEY = "api_key"


class Holder(Struct, frozen=True, kw_only=True, tag_field="type", tag="holder"):
    """Somebody who could do it, and one reason: whoever has several has a row for each."""

    kind: HolderKind
    id: str
    role: RoleName | None
    """The role it came by, of a person."""
    audiences: tuple[AudienceName, ...]
    """Where; empty for a person, whose roles are the same everywhere."""
    needs_factor: Requirement
    """What had to be shown in a session before the role gave it."""
    erased: bool
    """Forgotten since: nothing of them is left but the id."""
    cites: Sequence[Mark]


async def who_can(
    models: ReadModels, permission: Permission, then: Moment, *, after: Place | None = None, limit: int = 50
) -> Answer[Holder]:
    """List them: people by role, then service accounts, then API keys. Raises StoreUnavailable."""
    patterns = covering(permission)
    gives = await facts.known(models, rights, [Name(What.GIVES, pattern) for pattern in patterns], then.position)
    giving = sorted({RoleName(period.stream.removeprefix("role-")) for period in await all_of(models, rights, gives, then)})
    machines = [Name(kind, pattern) for kind in (What.MAY, What.KEY_MAY) for pattern in patterns]
    names = [*(Name(What.ROLE, name) for name in giving), *machines]
    walked = await walk(models, rights, await facts.known(models, rights, names, then.position), then, after=after, limit=limit)
    seen = await look(models, then, [*(period.stream for period in walked.periods), *map(role.stream, giving)])
    rows = [row for period in walked.periods if (row := _holder(seen, period, permission)) is not None]
    return Answer(then=then, rows=rows, next_after=walked.next_after)


def _holder(seen: Snapshot, period: Period, permission: Permission) -> Holder | None:
    """Give the row, or None where whoever it is could not do it after all."""
    category = category_of(period.stream)
    if category == "user":
        return _person(seen, period)
    if category == "client":
        given = [each for each in seen.service(period.stream) if allows(each.permissions, permission)]
        return _machine(
            HolderKind.SERVICE_ACCOUNT, period.stream, [each.audience for each in given], [mark for e in given for mark in e.cites]
        )
    key = seen.key(period.stream)
    return _machine(HolderKind.API_KEY, period.stream, [key.audience] if allows(key.permissions, permission) else [], key.cites)


def _person(seen: Snapshot, period: Period) -> Holder | None:
    if seen.barred(period.stream):
        return None
    name = RoleName(period.fact.name)
    requirement, demanded = seen.demand(name)
    return Holder(
        kind=HolderKind.USER,
        id=period.stream.removeprefix("user-"),
        role=name,
        audiences=(),
        needs_factor=requirement,
        erased=period.stream in seen.erased,
        cites=(period.since, *seen.role(name).cites, *demanded),
    )


def _machine(kind: HolderKind, stream: StreamName, audiences: Sequence[AudienceName | None], cites: Sequence[Mark]) -> Holder | None:
    where = tuple(audience for audience in audiences if audience is not None)
    if not where:
        return None
    name = stream.partition("-")[2]
    return Holder(
        kind=kind, id=name, role=None, audiences=where, needs_factor=Requirement.NONE, erased=False, cites=tuple(dict.fromkeys(cites))
    )
