"""Which sessions somebody has, for commands that limit how many: from the read model, each as its stream is now."""

from collections.abc import Sequence

from domain.ids import AudienceName, SessionId, UserId
from projections.reading import ReadModels
from projections.session_searches import SessionFilter, live

MOST = 200


class ListedSessions:
    """commands.ports.OpenSessions."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    async def of(self, user_id: UserId, audience: AudienceName) -> Sequence[SessionId]:
        found = await live(self._models, SessionFilter(user_id=user_id, audience=audience), after=None, limit=MOST)
        return [row.session.session_id for row in found.rows]
