"""Who may call what: every operation of the API by name, in one table. A test compares it with the routes there are."""

import re
from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct

from adapters.event_envelope import CATEGORIES
from domain.assurance import StepUp
from domain.ids import ActionName
from domain.permission import Permission, allows
from domain.signal_rights import ACCESS_SIGNALS


class Needs(Enum):
    """What a request has to bring before its handler runs."""

    NOTHING = auto()
    TOKEN = auto()
    """A token that verifies, for any audience of ours; the handler asks how its session stands (threats.md 7)."""
    SESSION = auto()
    """As TOKEN, of a session and account found live just now."""
    CLIENT = auto()
    """A service account that proves itself in the request, as the OAuth endpoint asks for (RFC 6749 2.3)."""
    CALLER = auto()
    """A person's token for Minos itself, of a session and account found live just now; a machine gets 403 `session_required`."""
    PERMISSION = auto()
    """As CALLER, and one of the caller's roles gives the permission at this moment; or a machine that holds it."""


class Access(Struct, frozen=True):
    needs: Needs
    permission: Permission | None = None
    step_up: StepUp | None = None
    parts: tuple[Permission, ...] = ()
    """Permissions that let in as well, each to a part of what there is; the handler gives no more than they cover."""
    rights: bool = False
    """What the caller's roles give bounds what they do here, although none of it is asked for."""

    def opens(self, held: Iterable[Permission]) -> bool:
        """Tell whether these permissions let somebody in, to some part at least."""
        own = tuple(held)
        return self.permission is None or any(allows(own, each) for each in (self.permission, *self.parts))

    @property
    def is_for_machines(self) -> bool:
        """Whether a service account may call: not where it is about a person's own account or session, or asks for a person's proof
        (threats.md 6)."""
        return self.needs is Needs.PERMISSION and self.step_up is None


"""The latter with the audience's name behind it."""
READ_EVENTS = Permission("minos.events.read")
READ_AUDIT = Permission("minos.audit.read")
FRESH = StepUp(max_age=900)
PUBLIC = Access(Needs.NOTHING)
TOKEN = Access(Needs.TOKEN)
SESSION = Access(Needs.SESSION)
CLIENT = Access(Needs.CLIENT)
CALLER = Access(Needs.CALLER)
PROVEN = Access(Needs.CALLER, step_up=FRESH)
BOUNDED = Access(Needs.CALLER, step_up=FRESH, rights=True)


def _holding(permission: str) -> Access:
    return Access(Needs.PERMISSION, Permission(permission))


def _holding_some(permission: str, parts: Iterable[str]) -> Access:
    return Access(Needs.PERMISSION, Permission(permission), parts=tuple(Permission(f"{permission}.{part}") for part in sorted(parts)))


def _proven(permission: str) -> Access:
    return Access(Needs.PERMISSION, Permission(permission), FRESH)


POLICY: dict[str, Access] = {
    "bootstrap": PUBLIC,
    "register": PUBLIC,
    "login": PUBLIC,
    "completeLogin": PUBLIC,
    "resendLoginCode": PUBLIC,
    "offerTotpAtLogin": PUBLIC,
    "confirmTotpAtLogin": PUBLIC,
    "offerPasskeyAtLogin": PUBLIC,
    "registerPasskeyAtLogin": PUBLIC,
    "askForPasskey": PUBLIC,
    "loginWithPasskey": PUBLIC,
    "refresh": PUBLIC,
    "logout": TOKEN,
    "readAuthSession": TOKEN,
    "checkCredential": PUBLIC,
    "reauthenticate": CALLER,
    "askForProof": CALLER,
    "askForCode": CALLER,
    "changePassword": CALLER,
    "judgePassword": PUBLIC,
    "verifyEmail": PUBLIC,
    "resendVerification": PUBLIC,
    "resendMyVerification": CALLER,
    "changeMyEmail": PROVEN,
    "checkEmailUndo": PUBLIC,
    "undoEmail": PUBLIC,
    "forgotPassword": PUBLIC,
    "checkPasswordReset": PUBLIC,
    "resetPassword": PUBLIC,
    "readMe": CALLER,
    "changeMe": CALLER,
    "changeMyAttributes": CALLER,
    "askForErasure": PROVEN,
    "withdrawErasure": CALLER,
    "exportMe": CALLER,
    "listErasures": _holding("minos.users.read"),
    "readErasure": _holding("minos.users.read"),
    "acknowledgeErasure": _holding(ACCESS_SIGNALS),
    "listUnacknowledged": _holding(ACCESS_SIGNALS),
    "previewErasure": _holding("minos.users.erase"),
    "eraseUser": _proven("minos.users.erase"),
    "keepUser": _proven("minos.users.erase"),
    "listMySessions": CALLER,
    "endMyOtherSessions": PROVEN,
    "endMySession": CALLER,
    "nameMyDevice": CALLER,
    "listMyHistory": CALLER,
    "listMyFactors": CALLER,
    "offerTotp": PROVEN,
    "confirmTotp": PROVEN,
    "makeRecoveryCodes": PROVEN,
    "removeMyFactor": PROVEN,
    "makeActionToken": SESSION,
    "consumeActionToken": _holding("minos.actions.consume"),
    "listActions": _holding("minos.audiences.read"),
    "defineAction": _proven("minos.audiences.write"),
    "withdrawAction": _proven("minos.audiences.write"),
    "offerMailedCodes": PROVEN,
    "enableMailedCodes": PROVEN,
    "offerPasskey": PROVEN,
    "registerPasskey": PROVEN,
    "renameMyFactor": CALLER,
    "checkPermissions": CALLER,
    "listUsers": _holding("minos.users.read"),
    "readUser": _holding("minos.users.read"),
    "readUserRoles": _holding("minos.users.read"),
    "listUserFactors": _holding("minos.users.read"),
    "switchUserFactorOff": _proven("minos.factors.remove"),
    "readFactorPolicy": _holding("minos.factors.read"),
    "demandFactorOfRole": _proven("minos.factors.write"),
    "demandFactorAtAudience": _proven("minos.factors.write"),
    "listUserHistory": _holding(READ_AUDIT),
    "explainSignIn": _holding(READ_AUDIT),
    "suspendUser": _proven("minos.users.suspend"),
    "reinstateUser": _proven("minos.users.suspend"),
    "changeUserAttributes": _proven("minos.users.write"),
    "deleteUser": _proven("minos.users.delete"),
    "restoreUser": _proven("minos.users.delete"),
    "createInvitation": _proven("minos.users.invite"),
    "listInvitations": _holding("minos.users.read"),
    "resendInvitation": _proven("minos.users.invite"),
    "revokeInvitation": _proven("minos.users.invite"),
    "acceptInvitation": PUBLIC,
    "listUserSessions": _holding("minos.sessions.read"),
    "readUserSession": _holding("minos.sessions.read"),
    "reviewUserSession": _holding("minos.sessions.revoke"),
    "listSuspiciousSessions": _holding("minos.sessions.read"),
    "revokeSessionsByFilter": _proven("minos.sessions.revoke"),
    "endUserSessions": _proven("minos.sessions.revoke"),
    "endUserSession": _proven("minos.sessions.revoke"),
    "grantRole": _proven("minos.roles.grant"),
    "revokeRole": _proven("minos.roles.grant"),
    "listRoles": _holding("minos.roles.read"),
    "readRole": _holding("minos.roles.read"),
    "listRoleHolders": _holding("minos.roles.read"),
    "defineRole": _proven("minos.roles.write"),
    "changeRolePermissions": _proven("minos.roles.write"),
    "retireRole": _proven("minos.roles.write"),
    "listAudiences": _holding("minos.audiences.read"),
    "readAudience": _holding("minos.audiences.read"),
    "defineAudience": _proven("minos.audiences.write"),
    "changeAudience": _proven("minos.audiences.write"),
    "retireAudience": _proven("minos.audiences.write"),
    "listServiceAccounts": _holding("minos.clients.read"),
    "readServiceAccount": _holding("minos.clients.read"),
    "createServiceAccount": _proven("minos.clients.write"),
    "changeServiceAccount": _proven("minos.clients.write"),
    "deleteServiceAccount": _proven("minos.clients.write"),
    "disableServiceAccount": _proven("minos.clients.write"),
    "enableServiceAccount": _proven("minos.clients.write"),
    "revokeServiceAccountTokens": _proven("minos.clients.write"),
    "rotateClientSecret": _proven("minos.clients.write"),
    "removeClientSecret": _proven("minos.clients.write"),
    "addClientKey": _proven("minos.clients.write"),
    "removeClientKey": _proven("minos.clients.write"),
    "listMyApiKeys": CALLER,
    "makeMyApiKey": BOUNDED,
    "rotateMyApiKey": BOUNDED,
    "revokeMyApiKey": CALLER,
    "listApiKeys": _holding("minos.apikeys.read"),
    "makeServiceApiKey": _proven("minos.apikeys.write"),
    "rotateServiceApiKey": _proven("minos.apikeys.write"),
    "revokeApiKey": _proven("minos.apikeys.write"),
    "revokeLeakedApiKey": PUBLIC,
    "listSigningKeys": _holding("minos.keys.read"),
    "rotateSigningKey": _proven("minos.keys.write"),
    "revokeSigningKey": _proven("minos.keys.write"),
    "listAuditEvents": _holding(READ_AUDIT),
    "replayEvents": _holding(READ_AUDIT),
    "proveEvent": _holding(READ_AUDIT),
    "revealEvents": _proven("minos.audit.reveal"),
    "askThePast": _holding(READ_AUDIT),
    "compareThePast": _holding(READ_AUDIT),
    "traceToken": _holding(READ_AUDIT),
    "readEvents": _holding_some(READ_EVENTS, CATEGORIES),
    "readSignals": _holding(ACCESS_SIGNALS),
    "followSignals": _holding(ACCESS_SIGNALS),
    "readProjections": _holding("minos.projections.read"),
    "readSettings": _holding("minos.settings.read"),
    "readLimits": _holding("minos.settings.read"),
    "grantToken": CLIENT,
    "introspectToken": CLIENT,
    "revokeToken": CLIENT,
    "readOpenIdConfiguration": PUBLIC,
    "readAuthorizationServer": PUBLIC,
    "readCheckpoint": PUBLIC,
    "readTile": PUBLIC,
    "readEntries": _holding(READ_AUDIT),
    "readCheckpointOfEpoch": PUBLIC,
    "readTileOfEpoch": PUBLIC,
    "readEntriesOfEpoch": _holding(READ_AUDIT),
    "readNewestCheckpoint": PUBLIC,
    "proveConsistency": PUBLIC,
    "readKeySet": PUBLIC,
    "readSignalsKeySet": PUBLIC,
    "readInternalKeySet": PUBLIC,
    "healthLive": PUBLIC,
    "healthReady": PUBLIC,
    "healthStartup": PUBLIC,
    "findDocs": PUBLIC,
    "readDocs": PUBLIC,
    "readDocsAsset": PUBLIC,
    "readProblems": PUBLIC,
    "readOpenApi": PUBLIC,
    "readAsyncApi": PUBLIC,
    "showVerify": PUBLIC,
    "showConfirm": PUBLIC,
    "showChange": PUBLIC,
    "showUndo": PUBLIC,
    "showReset": PUBLIC,
    "showInvite": PUBLIC,
    "readAccountScript": PUBLIC,
    "readAccountStyle": PUBLIC,
}


def action_of(operation: str) -> ActionName:
    """Name an operation as an action: `grantRole` is `grant-role`."""
    return ActionName(re.sub(r"(?=[A-Z])", "-", operation).lower())


OWN_ACTIONS = {action_of(operation): operation for operation, access in POLICY.items() if access.step_up is not None}
"""The actions of Minos itself: each operation that asks for a proof."""


def check_complete(operations: Iterable[str | None]) -> None:
    """Refuse to start with a route the table forgot, or a rule for a route there is not."""
    named = list(operations)
    known = {operation for operation in named if operation is not None}
    if None in named:
        raise RuntimeError("a route has no operation_id, so no rule can hold for it")
    if known != POLICY.keys():
        raise RuntimeError(f"policy and routes differ: {sorted(known ^ POLICY.keys())}")
