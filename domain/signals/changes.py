"""Of every type of event, whether it changes what services elsewhere may believe, and whose standing it changes.

Every type is in exactly one of two tables: a test fails for one that is in neither, so nothing stays silent by being forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from domain.action import ActionConsumed
from domain.action_catalogue import ActionDefined, ActionWithdrawn
from domain.administrators import AdministratorAdded, AdministratorRemoved
from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon, ApiKeyMade, ApiKeyRevoked, ApiKeyRotated
from domain.attributes import AttributesSet
from domain.audience import Audience, AudienceChanged, AudienceDefined, AudienceRetired, Defined, Retired
from domain.audit import AuditAsked
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimReleased, ClaimTaken
from domain.client_events import (
    ClientChanged,
    ClientDeleted,
    ClientDisabled,
    ClientEnabled,
    ClientKeyAdded,
    ClientKeyRemoved,
    ClientRegistered,
    ClientSecretAdded,
    ClientSecretRemoved,
    ClientTokensRevoked,
)
from domain.codec import tag_of
from domain.erasure_events import (
    ErasureAcknowledged,
    ErasureAsked,
    ErasureBegun,
    ErasureCompleted,
    ErasureNamesReleased,
    ErasurePostponed,
    ErasureReminded,
    ErasureWithdrawn,
)
from domain.event import Event
from domain.factor_events import (
    FactorKind,
    FactorNamed,
    FactorRemoved,
    FactorsErased,
    GuessingPaused,
    MailedCodesEnabled,
    MailedCodeUsed,
    PasskeyRegistered,
    PasskeyRegressed,
    PasskeyUsed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
    TotpOffered,
    TotpUsed,
)
from domain.factor_policy import AudienceRequirementSet, RoleRequirementSet
from domain.ids import AudienceName, ClientId, KeyId, Kid, RoleName, SessionId, TokenId, UserId
from domain.invitation import InvitationAccepted, InvitationErased, InvitationMade, InvitationRenewed, InvitationRevoked
from domain.key_owner import KeyDelisted, KeyListed
from domain.log import EpochOpened, LogPruned, PartitionAttached, PartitionDetached, PartitionSealed
from domain.machine_token import ServiceTokenExpiresSoon, ServiceTokenIssued, TokenRevoked
from domain.password_reset import PasswordResetAsked, PasswordResetUsed
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import (
    DeviceNamed,
    EndReason,
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
from domain.sign_in_guard import SignInLocked
from domain.signals.facts import Cause, EventType
from domain.signing_key import SigningKeyCreated, SigningKeyPledged, SigningKeyPromoted, SigningKeyRetired, SigningKeyRevoked
from domain.user_events import (
    EarlierEmailReleased,
    EmailChanged,
    EmailRestored,
    EmailVerified,
    LocaleChosen,
    NamesReleased,
    PasswordRehashed,
    PasswordSet,
    PasswordsForgotten,
    ProfileChanged,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    SuspendReason,
    UserDeleted,
    UserErased,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
    UserSuspended,
)
from domain.vault_keys import MonthDestroyed, RewrapBegun, Rewrapped

E = TypeVar("E", bound=Event)


class SessionOver(Struct, frozen=True):
    session_id: SessionId
    user_id: UserId
    cause: Cause


class UserChanged(Struct, frozen=True):
    """Their epoch may be another, which their head tells."""

    user_id: UserId
    cause: Cause


class RolesChanged(Struct, frozen=True):
    user_id: UserId


class ClientAltered(Struct, frozen=True):
    client_id: ClientId


class KeyWithdrawn(Struct, frozen=True):
    kid: Kid


class TokenWithdrawn(Struct, frozen=True):
    token_id: TokenId
    expires_at: float
    """Seconds since 1970."""


class ApiKeyAltered(Struct, frozen=True):
    key_id: KeyId


class RoleRedefined(Struct, frozen=True):
    role: RoleName


class AudienceRedefined(Struct, frozen=True):
    audience: AudienceName


class AudienceRuled(Struct, frozen=True):
    """Service tokens given for it before are judged by what it is like from here on, whatever it is like later."""

    audience: AudienceName
    now: Audience


Change = (
    SessionOver | UserChanged | RolesChanged | ClientAltered | KeyWithdrawn | TokenWithdrawn | ApiKeyAltered
    | RoleRedefined | AudienceRedefined | AudienceRuled
)  # fmt: skip
Changes = Sequence[Change]

_ENDED_BY: dict[EndReason, str] = {
    EndReason.LOGOUT: "user",
    EndReason.SELF_TARGETED: "user",
    EndReason.SELF_REVOKE_OTHERS: "user",
    EndReason.ADMIN_TARGETED: "admin",
    EndReason.ADMIN_REVOKE_ALL: "admin",
    EndReason.ADMIN_FILTERED: "admin",
    EndReason.SESSION_LIMIT: "policy",
    EndReason.REFRESH_REUSED: "policy",
}
_CREDENTIAL: dict[FactorKind, str] = {FactorKind.TOTP: "app", FactorKind.PASSKEY: "fido2-roaming"}
"""As CAEP calls them; it has no word for codes by mail."""


def _when(event_type: type[E], tell: Callable[[E], Changes]) -> tuple[type[Event], Callable[[Any], Changes]]:
    return event_type, tell


def _session_over(session_id: SessionId, user_id: UserId, reason: EndReason) -> Changes:
    return [SessionOver(session_id, user_id, Cause(type=EventType.SESSION_REVOKED, members={"initiating_entity": _ENDED_BY[reason]}))]


def _user(user_id: UserId, event_type: EventType, **members: str) -> Changes:
    return [UserChanged(user_id, Cause(type=event_type, members=members))]


def _credential(user_id: UserId, kind: str | None, change: str) -> Changes:
    return [] if kind is None else _user(user_id, EventType.CREDENTIAL_CHANGE, credential_type=kind, change_type=change)


def _ruled(event: AudienceChanged | AudienceRetired) -> Changes:
    """What can be many thousands comes first: it is told in parts, and the rest with its last."""
    if isinstance(event, AudienceRetired):
        now: Audience = Retired(audience=event.audience, definition=event.definition)
    else:
        now = Defined(audience=event.audience, rules=event.rules, definition=event.definition)
    return [AudienceRuled(event.audience, now), AudienceRedefined(event.audience)]


def _password_set(event: PasswordSet) -> Changes:
    """The first one revokes nothing: there is no token of an epoch before the first."""
    return [] if event.token_epoch == 1 else _credential(event.user_id, "password", "update")


def _suspended(event: UserSuspended) -> Changes:
    why = {"reason": "hijacking"} if event.reason is SuspendReason.COMPROMISED else {}
    return _user(event.user_id, EventType.ACCOUNT_DISABLED, **why)


SIGNALS: Mapping[type[Event], Callable[[Any], Changes]] = dict(
    (
        _when(SessionRevoked, lambda e: _session_over(e.session_id, e.user_id, e.reason)),
        _when(RefreshReused, lambda e: _session_over(e.session_id, e.user_id, EndReason.REFRESH_REUSED)),
        _when(SignedOutEverywhere, lambda e: _user(e.user_id, EventType.SESSION_REVOKED)),
        _when(PasswordSet, _password_set),
        _when(UserSuspended, _suspended),
        _when(UserReinstated, lambda e: _user(e.user_id, EventType.ACCOUNT_ENABLED)),
        _when(UserDeleted, lambda e: _user(e.user_id, EventType.ACCOUNT_DISABLED)),
        _when(UserRestored, lambda e: _user(e.user_id, EventType.ACCOUNT_ENABLED)),
        _when(NamesReleased, lambda e: _user(e.user_id, EventType.ACCOUNT_PURGED)),
        _when(UserErased, lambda e: _user(e.user_id, EventType.ACCOUNT_PURGED)),
        _when(ErasureReminded, lambda e: _user(e.user_id, EventType.ACCOUNT_PURGED)),
        _when(TotpConfirmed, lambda e: _credential(e.user_id, "app", "create")),
        _when(PasskeyRegistered, lambda e: _credential(e.user_id, "fido2-roaming", "create")),
        _when(FactorRemoved, lambda e: _credential(e.user_id, _CREDENTIAL.get(e.kind), "delete")),
        _when(RoleGranted, lambda e: [RolesChanged(e.user_id)]),
        _when(RoleRevoked, lambda e: [RolesChanged(e.user_id)]),
        _when(ClientChanged, lambda e: [ClientAltered(e.client_id)]),
        _when(ClientTokensRevoked, lambda e: [ClientAltered(e.client_id)]),
        _when(ClientDisabled, lambda e: [ClientAltered(e.client_id)]),
        _when(ClientDeleted, lambda e: [ClientAltered(e.client_id)]),
        _when(SigningKeyRevoked, lambda e: [KeyWithdrawn(e.kid)]),
        _when(TokenRevoked, lambda e: [TokenWithdrawn(e.token_id, e.expires_at.timestamp())]),
        _when(ApiKeyRotated, lambda e: [ApiKeyAltered(e.key_id)]),
        _when(ApiKeyRevoked, lambda e: [ApiKeyAltered(e.key_id)]),
        _when(RoleDefined, lambda e: [RoleRedefined(e.role)]),
        _when(RolePermissionsChanged, lambda e: [RoleRedefined(e.role)]),
        _when(RoleRetired, lambda e: [RoleRedefined(e.role)]),
        _when(AudienceDefined, lambda e: [AudienceRedefined(e.audience)]),
        _when(AudienceChanged, _ruled),
        _when(AudienceRetired, _ruled),
    )
)
"""What takes something away from a token that is out there, or tells a service what it has to know."""

NOTHING: frozenset[type[Event]] = frozenset(
    {
        UserRegistered, EmailVerified, EmailChanged, EmailRestored, EarlierEmailReleased, LocaleChosen, PasswordRehashed,
        PasswordsForgotten, ProfileChanged, UsernameChanged, AttributesSet, ClaimTaken, ClaimReleased,
        SessionStarted, TokenIssued, Reauthenticated, SessionRebased, SessionFlagged, SessionReviewed, DeviceNamed,
        SigningKeyCreated, SigningKeyPromoted, SigningKeyPledged, SigningKeyRetired,
        AdministratorAdded, AdministratorRemoved, BootstrapCompleted, SignInLocked,
        ClientRegistered, ClientSecretAdded, ClientSecretRemoved, ClientKeyAdded, ClientKeyRemoved, ClientEnabled,
        ServiceTokenIssued, ServiceTokenExpiresSoon, ApiKeyMade, ApiKeyExpiresSoon, KeyListed, KeyDelisted,
        TotpOffered, TotpUsed, PasskeyUsed, PasskeyRegressed, FactorNamed, MailedCodesEnabled, MailedCodeUsed,
        RecoveryCodesMade, RecoveryCodeUsed, GuessingPaused, RoleRequirementSet, AudienceRequirementSet,
        ActionConsumed, ActionDefined, ActionWithdrawn, PasswordResetAsked, PasswordResetUsed,
        InvitationMade, InvitationRenewed, InvitationAccepted, InvitationRevoked,
        ErasureAsked, ErasurePostponed, ErasureWithdrawn, ErasureBegun, ErasureCompleted, ErasureNamesReleased,
        ErasureAcknowledged, SessionErased, ApiKeyErased, FactorsErased, InvitationErased, AuditAsked,
        EpochOpened, LogPruned, PartitionSealed, PartitionDetached, PartitionAttached,
        RewrapBegun, Rewrapped, MonthDestroyed,
    }
)  # fmt: skip
"""What leaves every token that is out there as good as it was. A rebased session's older tokens are of an epoch that its user's own
signal refuses; secrets and keys of a client go with an event that raises its epoch."""

TAGS: frozenset[str] = frozenset(tag_of(event_type) for event_type in SIGNALS)


def changes(event: Event) -> Changes:
    """Give whose standing an event changes. Raises KeyError for a type that nobody has thought about: whoever reads must stop."""
    kind = type(event)
    return () if kind in NOTHING else SIGNALS[kind](event)
