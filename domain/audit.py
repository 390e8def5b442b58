"""What was asked of the log: who looks at others' past leaves a trace of it there. One stream for each who asks."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.decider import Decider
from domain.event import Event
from domain.ids import RoleSlug, StreamName, TokenId, UserId
from domain.permission import PermissionText

CATEGORY = "audit"


class Question(StrEnum):
    """What it was that somebody asked."""

    REPLAY = "replay"
    REVEAL = "reveal"
    """A replay with sealed fields opened."""
    EXPORT = "export"
    PROVE = "prove"
    EXPLAIN = "explain"
    WHO_CAN = "who_can"
    WHAT_CAN = "what_can"
    WHO_HAS = "who_has"
    SESSIONS_OF = "sessions_of"
    DIFF = "diff"
    TOKEN = "token"


class Matter(Struct, frozen=True, kw_only=True):
    """What a question is about, as far as it names anything."""

    first: int | None = None
    """The positions it looks at, from this one on."""
    last: int | None = None
    """And up to this one; where it asks of a moment, that moment's."""
    user_id: UserId | None = None
    role: RoleSlug | None = None
    permission: PermissionText | None = None
    token_id: TokenId | None = None


class AuditAsked(Event, frozen=True, kw_only=True, tag="audit.asked.v1"):
    """Written before anything is answered."""

    question: Question
    first: int | None = None
    last: int | None = None
    user_id: UserId | None = None
    """Whom it is about; who asked is the actor."""
    role: RoleSlug | None = None
    permission: PermissionText | None = None
    token_id: TokenId | None = None


class Asked(Struct, frozen=True, kw_only=True):
    times: int = 0


def evolve(state: Asked, _: AuditAsked) -> Asked:
    return Asked(times=state.times + 1)


decider: Decider[Asked, AuditAsked] = Decider(CATEGORY, Asked, 1, Asked(), evolve)


def stream(asker: str | None) -> StreamName:
    """Give the stream of a person, service account or API key; of None, that of whoever holds the database."""
    return StreamName(CATEGORY if asker is None else f"{CATEGORY}-{asker}")


def note(_: Asked, *, question: Question, about: Matter, at: datetime) -> Sequence[AuditAsked]:
    """Every question counts: the same one, asked again, was asked again."""
    return [
        AuditAsked(
            question=question,
            first=about.first,
            last=about.last,
            user_id=about.user_id,
            role=about.role,
            permission=about.permission,
            token_id=about.token_id,
            at=at,
        )
    ]
