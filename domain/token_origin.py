"""Where a person's access token comes from, as its `jti` says: which session, and at which of its events.

Says nothing that the token does not say besides, and proves nothing: whoever knows a session's id can write one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple
from uuid import UUID

from domain.ids import SessionId

TAIL = 8
"""Random bytes: two tokens made of one event have two ids."""
_LONG = 16 + 4 + TAIL


class Origin(NamedTuple):
    session_id: SessionId
    version: int
    """Of the session's stream, when the token was made."""


def written(session_id: SessionId, version: int, tail: bytes) -> str:
    return urlsafe_b64encode(session_id.bytes + version.to_bytes(4, "big") + tail).rstrip(b"=").decode("ascii")


def read(jti: str) -> Origin | None:
    """None for what was not written so, to the letter."""
    try:
        raw = urlsafe_b64decode(jti + "=" * (-len(jti) % 4))
    except ValueError:
        return None
    origin = Origin(SessionId(UUID(bytes=raw[:16])), int.from_bytes(raw[16:20], "big")) if len(raw) == _LONG else None
    return origin if origin is not None and written(*origin, raw[20:]) == jti else None
