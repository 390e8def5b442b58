"""What of the log stays for ever, and what has its time: the payloads of activity that later activity has overtaken."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import get_args

from domain.action import ActionConsumed
from domain.action_catalogue import ActionsEvent
from domain.administrators import AdministratorsEvent
from domain.api_key import ApiKeyEvent
from domain.attributes import AttributesSet
from domain.audience import AudienceEvent
from domain.audit import AuditAsked
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimEvent
from domain.client_events import ClientEvent
from domain.codec import tag_of
from domain.erasure_events import ErasureEvent
from domain.event import Event
from domain.factor_events import FactorEvent
from domain.factor_policy import FactorPolicyEvent
from domain.invitation import InvitationEvent
from domain.key_owner import KeyOwnerEvent
from domain.log import LogEvent
from domain.machine_token import MachineTokenEvent
from domain.password_reset import PasswordResetEvent
from domain.role import RoleEvent
from domain.session_events import (
    DeviceNamed,
    Reauthenticated,
    RefreshReused,
    SessionErased,
    SessionFlagged,
    SessionRebased,
    SessionReviewed,
    SessionRevoked,
    SessionStarted,
    TokenIssued,
)
from domain.session_state import Absent, Ended, Forgotten, Live, Session
from domain.sign_in_guard import SignInLocked
from domain.signing_key import SigningKeyEvent
from domain.user_events import UserEvent
from domain.vault_keys import VaultKeysEvent


class Kept(StrEnum):
    LASTING = "lasting"
    """As long as the log."""
    ACTIVITY = "activity"
    """Until its stream has been over for a while, and only where later activity of the stream says all that folds need."""


_ACTIVITY: tuple[type[Event], ...] = (TokenIssued,)
_LASTING: tuple[type[Event], ...] = (
    SessionStarted,
    SessionRevoked,
    SessionRebased,
    RefreshReused,
    Reauthenticated,
    SessionFlagged,
    SessionReviewed,
    DeviceNamed,
    SessionErased,
    ActionConsumed,
    AttributesSet,
    AuditAsked,
    BootstrapCompleted,
    SignInLocked,
    *get_args(ActionsEvent),
    *get_args(AdministratorsEvent),
    *get_args(ApiKeyEvent),
    *get_args(AudienceEvent),
    *get_args(ClaimEvent),
    *get_args(ClientEvent),
    *get_args(ErasureEvent),
    *get_args(FactorEvent),
    *get_args(FactorPolicyEvent),
    *get_args(InvitationEvent),
    *get_args(KeyOwnerEvent),
    *get_args(LogEvent),
    *get_args(MachineTokenEvent),
    *get_args(PasswordResetEvent),
    *get_args(RoleEvent),
    *get_args(SigningKeyEvent),
    *get_args(UserEvent),
    *get_args(VaultKeysEvent),
)

KEPT: dict[str, Kept] = {
    **{tag_of(event_type): Kept.LASTING for event_type in _LASTING},
    **{tag_of(event_type): Kept.ACTIVITY for event_type in _ACTIVITY},
}
"""Of every tag, how long its payload is kept."""

ACTIVITY = frozenset(tag for tag, kept in KEPT.items() if kept is Kept.ACTIVITY)

_REFRESH, _REBASE = tag_of(TokenIssued), tag_of(SessionRebased)


FOLLOWING = frozenset({_REFRESH, _REBASE})
"""The first of these after a refresh in its stream says whether it was overtaken."""


def is_overtaken(following: str | None) -> bool:
    """Tell it of an event of activity by what follows it, None where nothing of that kind does."""
    return following == _REFRESH


def overtaken(events: Iterable[tuple[int, str]]) -> list[int]:
    """Give the versions of a stream, told as (version, tag) in order, whose payload no fold misses.

    A refresh is overtaken by the next one: the session, and its row in every read model, come out the same without it. Not where
    a rebase lies between, which looks at how many there were.
    """
    found: list[int] = []
    last: int | None = None
    for version, tag in events:
        if tag in FOLLOWING:
            if last is not None and is_overtaken(tag):
                found.append(last)
            last = version if tag in ACTIVITY else None
    return found


def over_since(state: Session) -> datetime | None:
    """Give since when a session is over, which may lie ahead; None where it never began."""
    match state:
        case Absent():
            return None
        case Ended():
            return state.ended_at
        case Live():
            return state.expires_at
        case Forgotten():
            return state.forgotten_at
