"""What never changes about an API key, and its owner's roles as they last were, kept so that a check is one read."""

from collections import OrderedDict

from msgspec import Struct

from domain.ids import AudienceName, ClientId, KeyId, RoleName, UserId

MOST = 16_384
"""Keys remembered by one process; a few megabytes."""


class KeyOrigin(Struct, frozen=True, kw_only=True, gc=False):
    """Whose key it is and for what, which never changes; and which roles they had last, which only says what to read with it."""

    user_id: UserId | None
    client_id: ClientId | None
    audience: AudienceName
    roles: tuple[RoleName, ...]


class KeyOrigins:
    """Remembers the keys met last, so that a check is one read. Says nothing of whether a key is live."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[KeyId, KeyOrigin] = OrderedDict()

    def recall(self, key_id: KeyId) -> KeyOrigin | None:
        return self._known.get(key_id)

    def remember(self, key_id: KeyId, origin: KeyOrigin) -> None:
        self._known[key_id] = origin
        self._known.move_to_end(key_id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
