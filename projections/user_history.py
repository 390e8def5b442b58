"""What happened to each account, for its owner and for support: one row per event worth telling."""

from typing import get_args

from domain.action_catalogue import ActionsEvent
from domain.administrators import AdministratorAdded, AdministratorRemoved
from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon
from domain.audience import AudienceEvent
from domain.audit import AuditAsked
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimReleased, ClaimTaken
from domain.client_events import ClientEvent
from domain.erasure_events import ErasureAcknowledged, ErasureNamesReleased, ErasureReminded
from domain.factor_events import FactorNamed, FactorsErased, MailedCodeUsed, PasskeyUsed, TotpOffered, TotpUsed
from domain.factor_policy import FactorPolicyEvent
from domain.ids import UserId
from domain.invitation import InvitationEvent
from domain.key_owner import KeyOwnerEvent
from domain.log import LogEvent
from domain.machine_token import MachineTokenEvent
from domain.password_reset import PasswordResetUsed
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import DeviceNamed, SessionErased, SessionRebased, SessionReviewed, TokenIssued
from domain.signing_key import SigningKeyCreated, SigningKeyPledged, SigningKeyPromoted, SigningKeyRetired, SigningKeyRevoked
from domain.user_events import EarlierEmailReleased, PasswordRehashed, PasswordsForgotten
from domain.vault_keys import VaultKeysEvent
from projections.history_rows import WRITES, HistoryRow
from projections.projection import Journal
from projections.reading import Page, ReadModels
from projections.sql import beside

_SQL = beside(__file__)

user_history: Journal[HistoryRow] = Journal(
    "user_history",
    9,
    HistoryRow,
    WRITES,
    # Claims, administrators, invitations and the bootstrap repeat what the account's own stream says; a refresh, a rebase and a
    # stronger hash of the same password are nothing its owner did; roles, keys, machines and actions are nobody's account, and what was
    # asked of the past nothing that happened to one.
    # A factor that was used is told by the session it began.
    ignores=(
        PasswordRehashed,
        PasswordsForgotten,
        EarlierEmailReleased,
        ErasureNamesReleased,
        ErasureReminded,
        ErasureAcknowledged,
        SessionErased,
        ApiKeyErased,
        FactorsErased,
        PasswordResetUsed,
        TokenIssued,
        SessionRebased,
        SessionReviewed,
        DeviceNamed,
        ClaimTaken,
        ClaimReleased,
        AdministratorAdded,
        AdministratorRemoved,
        BootstrapCompleted,
        RoleDefined,
        RolePermissionsChanged,
        RoleRetired,
        SigningKeyCreated,
        SigningKeyPromoted,
        SigningKeyPledged,
        SigningKeyRetired,
        SigningKeyRevoked,
        *get_args(KeyOwnerEvent),
        ApiKeyExpiresSoon,
        *get_args(AudienceEvent),
        *get_args(FactorPolicyEvent),
        *get_args(InvitationEvent),
        *get_args(ClientEvent),
        *get_args(MachineTokenEvent),
        TotpOffered,
        TotpUsed,
        PasskeyUsed,
        MailedCodeUsed,
        FactorNamed,
        *get_args(ActionsEvent),
        AuditAsked,
        *get_args(LogEvent),
        *get_args(VaultKeysEvent),
    ),
    sql=_SQL,
    copies=("stream", "actor"),
)


async def of_user(models: ReadModels, user_id: UserId, *, after: int | None = None, limit: int = 50) -> Page[HistoryRow, int]:
    """List what happened to an account, newest first. Raises StoreUnavailable."""
    return await models.page(user_history, {"of_user": user_id, "after": after}, limit, lambda row: row.position)
