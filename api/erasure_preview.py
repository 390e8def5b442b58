"""What an erasure would take of an account, and who would be told: by its heads, and by read models."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from commands.erasure_preview import Holdings, holdings
from commands.ports import Ports
from domain.ids import AudienceName, SessionId, UserId
from projections import api_keys, audiences, invitations, session_searches
from projections.reading import ReadModels

PAGE = 1_000
_FIRST = SessionId(UUID(int=0))


class ErasurePreview(Struct, frozen=True, kw_only=True):
    """What would go. Nothing is changed by looking."""

    account: Holdings
    sessions: int
    """Ever begun, whatever became of them."""
    api_keys: int
    invitations: int
    services: Sequence[AudienceName]
    """Audiences whose services would be told, and are to acknowledge it."""


async def preview(user_id: UserId, models: ReadModels, ports: Ports) -> ErasurePreview:
    """Raises NoSuchUser, LastAdminProtected, StoreUnavailable."""
    accepted = await invitations.accepted_by(models, user_id)
    sessions, after = 0, _FIRST
    while found := await session_searches.all_of(models, user_id, after=after, limit=PAGE):
        sessions, after = sessions + len(found), found[-1]
    return ErasurePreview(
        account=await holdings(user_id, accepted, ports),
        sessions=sessions,
        api_keys=len(await api_keys.all_of(models, user_id)),
        invitations=len(accepted),
        services=await audiences.of_people(models),
    )
