"""What never changes about a session, kept so that a refresh need not read its head twice."""

from msgspec import Struct

from domain.ids import AudienceName, SessionId, UserId

MOST = 16_384
"""Sessions remembered by one process; a few megabytes."""


class SessionOrigin(Struct, frozen=True, kw_only=True, gc=False):
    """Whose session it is, and the seed of its refresh tokens. Says nothing of whether it is live."""

    user_id: UserId
    seed: bytes
    audiences: tuple[AudienceName, ...]
    """What it was started for."""

    def __repr__(self) -> str:
        return f"SessionOrigin(user_id={self.user_id})"


class SessionOrigins:
    """Remembers the sessions met last; forgets the one met longest ago when there are too many."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: dict[SessionId, SessionOrigin] = {}

    def recall(self, session_id: SessionId) -> SessionOrigin | None:
        origin = self._known.pop(session_id, None)
        if origin is not None:
            self._known[session_id] = origin
        return origin

    def remember(self, session_id: SessionId, origin: SessionOrigin) -> None:
        self._known[session_id] = origin
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
