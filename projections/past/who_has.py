"""Who held a role at a moment, whether or not they could act by it."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from domain import role
from domain.ids import RoleName, UserId
from projections.past.answer import Answer, standing
from projections.past.facts import Name
from projections.past.moments import Moment
from projections.past.rights import What, rights
from projections.past.snapshot import Standing, look
from projections.past.walks import Place, walk
from projections.periods import Mark
from projections.reading import ReadModels


class RoleHolder(Struct, frozen=True, kw_only=True, tag_field="type", tag="role_holder"):
    user_id: UserId
    standing: Standing
    """Whoever is not active holds it, and can do nothing."""
    erased: bool
    """Forgotten since: nothing of them is left but the id."""
    cites: Sequence[Mark]


async def who_has(models: ReadModels, name: RoleName, then: Moment, *, after: Place | None = None, limit: int = 50) -> Answer[RoleHolder]:
    """List them. Raises StoreUnavailable."""
    walked = await walk(models, rights, [Name(What.ROLE, name)], then, after=after, limit=limit)
    seen = await look(models, then, [role.stream(name), *(period.stream for period in walked.periods)])
    how, cites = await standing(models, seen, role.stream(name))
    rows: list[RoleHolder] = []
    for period in walked.periods:
        barred = seen.barred(period.stream)
        because = () if barred is None else (barred[1].since,)
        holder = RoleHolder(
            user_id=UserId(UUID(period.stream.removeprefix("user-"))),
            standing=Standing.ACTIVE if barred is None else barred[0],
            erased=period.stream in seen.erased,
            cites=(period.since, *because),
        )
        rows.append(holder)
    return Answer(then=then, rows=rows, next_after=walked.next_after, standing=how, cites=cites)
