"""One example of every event, whose exact bytes are kept beside this file for ever."""

from datetime import timedelta
from uuid import UUID

from msgspec import Raw

from domain import api_key
from domain.action import ActionConsumed
from domain.action_catalogue import ActionDefined, ActionWithdrawn
from domain.administrators import AdministratorAdded, AdministratorRemoved
from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon, ApiKeyMade, ApiKeyRevoked, ApiKeyRotated, KeyDigest
from domain.assurance import Acr, StepUp
from domain.attributes import AttributesSet
from domain.audience import AudienceChanged, AudienceDefined, AudienceRetired, PrincipalKind, Rules
from domain.audit import AuditAsked, Question
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimKind, ClaimReleased, ClaimTaken
from domain.client_events import (
    ClientChanged,
    ClientDeleted,
    ClientDisabled,
    ClientEnabled,
    ClientKey,
    ClientKeyAdded,
    ClientKeyRemoved,
    ClientRegistered,
    ClientSecretAdded,
    ClientSecretRemoved,
    ClientTokensRevoked,
    DisableReason,
    SecretDigest,
)
from domain.codec import encode_event, key_of, tag_of
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
from domain.event import Event, Sealed
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
    WhyRemoved,
)
from domain.factor_policy import AudienceRequirementSet, Requirement, RoleRequirementSet
from domain.ids import CommandId, CorrelationId, EventId, StreamName
from domain.invitation import InvitationAccepted, InvitationErased, InvitationMade, InvitationRenewed, InvitationRevoked
from domain.key_owner import KeyDelisted, KeyListed
from domain.leaf import Leaf, micros
from domain.locale import Locale
from domain.log import (
    EpochOpened,
    EpochReason,
    LastPublished,
    LogPruned,
    Origin,
    PartitionAttached,
    PartitionDetached,
    PartitionSealed,
    Root,
)
from domain.machine_token import ServiceTokenExpiresSoon, ServiceTokenIssued, TokenRevocation, TokenRevoked
from domain.password_reset import PasswordResetAsked, PasswordResetUsed
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import (
    AuthMethod,
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
from domain.signing_key import (
    Algorithm,
    Base64Url,
    Curve,
    KeyRevocation,
    KeyType,
    PublicJwk,
    SigningKeyCreated,
    SigningKeyPledged,
    SigningKeyPromoted,
    SigningKeyRetired,
    SigningKeyRevoked,
)
from domain.suspicion import Review, Signal
from domain.user_events import (
    AskedBy,
    DeleteReason,
    EarlierEmailReleased,
    EmailChanged,
    EmailRestored,
    EmailVerified,
    LocaleChosen,
    NamesFate,
    NamesReleased,
    PasswordReason,
    PasswordRehashed,
    PasswordSet,
    PasswordsForgotten,
    ProfileChanged,
    RegisteredBy,
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
from tests.domain.examples import (
    ACTION,
    ADA,
    CREDENTIAL_KEY,
    DIGEST,
    EDITOR,
    EMAIL_CLAIM,
    FACTOR,
    FIRST_PARTY,
    INVITATION,
    KEY,
    KID,
    MONTH_KEK,
    NAME_CLAIM,
    NOTES,
    NOW,
    PROFILE_KEY,
    REFUND,
    REPORTER,
    RESET,
    ROOT_KEK,
    SECRET_ID,
    SEED,
    SESSION,
    TASKS,
    TELEMETRY_KEY,
    TOKEN,
    USER_ROLE,
)

SOON = NOW + timedelta(seconds=300)
LATE = NOW + timedelta(days=90)
EXACT = NOW.replace(microsecond=0)
"""A time of whole seconds, which is written without a fraction."""
BOX = bytes(range(250, 256)) + bytes(range(22))
IN_PROFILE = Sealed(PROFILE_KEY, BOX)
IN_CREDENTIALS = Sealed(CREDENTIAL_KEY, BOX)
IN_TELEMETRY = Sealed(TELEMETRY_KEY, BOX)
POINT = Base64Url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")

EXAMPLES: tuple[Event, ...] = (
    AdministratorAdded(user_id=ADA, at=NOW),
    ApiKeyMade(
        key_id=KEY,
        user_id=ADA,
        client_id=None,
        name=IN_PROFILE,
        audience=TASKS,
        permissions=(Permission("tasks.read"),),
        secret=KeyDigest(digest=DIGEST, key_version=1),
        expires_at=LATE,
        at=NOW,
    ),
    ApiKeyRotated(key_id=KEY, user_id=None, secret=KeyDigest(digest=DIGEST, key_version=2), previous_until=SOON, expires_at=LATE, at=NOW),
    ApiKeyExpiresSoon(key_id=KEY, user_id=ADA, expires_at=LATE, at=NOW),
    ApiKeyRevoked(key_id=KEY, user_id=ADA, reason=api_key.KeyRevocation.LEAKED, at=NOW),
    KeyListed(key_id=KEY, expires_at=LATE, at=NOW),
    KeyDelisted(key_id=KEY, at=NOW),
    AudienceDefined(audience=TASKS, rules=Rules(), description=IN_PROFILE, at=NOW),
    AudienceChanged(
        audience=TASKS,
        rules=Rules(
            permissions=(Permission("tasks.read"),),
            algorithm=Algorithm.RS256,
            access_token_ttl=120,
            principals=(PrincipalKind.USER,),
            roles=(EDITOR,),
            clients=(REPORTER,),
        ),
        definition=2,
        at=NOW,
    ),
    AudienceRetired(audience=TASKS, definition=3, at=NOW),
    AdministratorRemoved(user_id=ADA, at=EXACT),
    BootstrapCompleted(user_id=ADA, at=NOW),
    ClaimTaken(claim_id=EMAIL_CLAIM, kind=ClaimKind.EMAIL, user_id=ADA, at=NOW),
    ClaimReleased(claim_id=EMAIL_CLAIM, at=NOW),
    ClientRegistered(
        client_id=REPORTER,
        owner_id=ADA,
        name=IN_PROFILE,
        audiences=(TASKS,),
        permissions=(Permission("tasks.read"),),
        token_ttl=300,
        at=NOW,
    ),
    ClientChanged(
        client_id=REPORTER, owner_id=None, name=IN_PROFILE, audiences=(NOTES, TASKS), permissions=(), token_ttl=60, epoch=2, at=NOW
    ),
    ClientSecretAdded(
        client_id=REPORTER,
        secret=SecretDigest(secret_id=SECRET_ID, digest=DIGEST, key_version=1, made_at=NOW, expires_at=None),
        previous_until=SOON,
        at=NOW,
    ),
    ClientSecretRemoved(client_id=REPORTER, secret_id=SECRET_ID, at=NOW),
    ClientKeyAdded(
        client_id=REPORTER,
        key=ClientKey(kid=KID, algorithm=Algorithm.EDDSA, public=PublicJwk(kty=KeyType.OKP, crv=Curve.ED25519, x=POINT)),
        at=NOW,
    ),
    ClientKeyRemoved(client_id=REPORTER, kid=KID, at=NOW),
    ClientTokensRevoked(client_id=REPORTER, epoch=3, at=NOW),
    ClientDisabled(client_id=REPORTER, reason=DisableReason.COMPROMISED, epoch=4, at=NOW),
    ClientEnabled(client_id=REPORTER, at=NOW),
    ClientDeleted(client_id=REPORTER, at=NOW),
    SessionFlagged(session_id=SESSION, user_id=ADA, signals=(Signal.NEW_NETWORK, Signal.PRIOR_FAILURES), at=NOW),
    SessionReviewed(session_id=SESSION, user_id=ADA, review=Review.RESOLVED, at=NOW),
    DeviceNamed(session_id=SESSION, user_id=ADA, device_name=Sealed(TELEMETRY_KEY, BOX), at=NOW),
    ActionConsumed(action_id=ACTION, user_id=ADA, session_id=SESSION, audience=TASKS, action=REFUND, at=NOW),
    ActionDefined(audience=TASKS, action=REFUND, step_up=StepUp(max_age=300, acr=Acr.TWO_FACTOR), verifiers=(REPORTER,), at=NOW),
    ActionWithdrawn(audience=TASKS, action=REFUND, at=NOW),
    LogPruned(partition=0, first_position=1, last_position=16_777_216, count=9_000_000, older_than=NOW, at=NOW),
    PartitionSealed(partition=0, first_position=1, last_position=16_777_216, events=16_777_216, at=NOW),
    PartitionDetached(partition=0, first_position=1, last_position=16_777_216, events=16_777_216, at=NOW),
    PartitionAttached(partition=0, first_position=1, last_position=16_777_216, events=16_777_216, at=NOW),
    AuditAsked(
        question=Question.WHO_CAN,
        first=1,
        last=70_000,
        user_id=ADA,
        role=EDITOR,
        permission=Permission("tasks.read"),
        token_id=TOKEN,
        at=NOW,
    ),
    EpochOpened(
        epoch=2,
        reason=EpochReason.RESTORED,
        kept=70_000,
        agreed=69_990,
        earlier=LastPublished(origin=Origin("id.example.org/log"), size=70_123, root=Root("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")),
        at=NOW,
    ),
    RewrapBegun(to=ROOT_KEK, at=NOW),
    Rewrapped(to=ROOT_KEK, service_keys=22, signing_keys=6, log_keys=1, month_keys=2, subject_keys=70_000, at=NOW),
    MonthDestroyed(kek_id=MONTH_KEK, at=NOW),
    ServiceTokenIssued(
        token_id=TOKEN, client_id=REPORTER, audience=TASKS, permissions=(Permission("tasks.read"),), kid=KID, expires_at=LATE, at=NOW
    ),
    ServiceTokenExpiresSoon(token_id=TOKEN, client_id=REPORTER, expires_at=LATE, at=NOW),
    TokenRevoked(token_id=TOKEN, client_id=REPORTER, reason=TokenRevocation.LEAKED, expires_at=LATE, at=NOW),
    RoleDefined(role=EDITOR, permissions=(Permission("tasks.*"), Permission("tasks.read")), description=IN_PROFILE, at=NOW),
    RolePermissionsChanged(role=EDITOR, permissions=(), definition=2, at=NOW),
    RoleRetired(role=EDITOR, definition=3, at=NOW),
    SessionStarted(
        session_id=SESSION,
        user_id=ADA,
        token_epoch=1,
        audiences=(TASKS,),
        client_id=FIRST_PARTY,
        amr=(AuthMethod.PASSWORD,),
        seed=SEED,
        idle_ttl=1_209_600,
        expires_at=LATE,
        network=IN_TELEMETRY,
        user_agent=None,
        device_name=IN_TELEMETRY,
        at=NOW,
    ),
    TokenIssued(
        session_id=SESSION, user_id=ADA, generation=1, key_version=1, audience=TASKS, access_expires_at=SOON, idle_expires_at=LATE, at=NOW
    ),
    RefreshReused(session_id=SESSION, user_id=ADA, generation=1, current_generation=3, at=NOW),
    Reauthenticated(session_id=SESSION, user_id=ADA, method=AuthMethod.PASSWORD, at=NOW),
    SessionRebased(session_id=SESSION, user_id=ADA, token_epoch=2, at=NOW),
    SessionRevoked(session_id=SESSION, user_id=ADA, reason=EndReason.LOGOUT, at=NOW),
    SignInLocked(user_id=ADA, failures=5, until=SOON, at=NOW),
    SigningKeyCreated(kid=KID, algorithm=Algorithm.ES256, public=PublicJwk(kty=KeyType.EC, crv=Curve.P256, x=POINT, y=POINT), at=NOW),
    SigningKeyPromoted(kid=KID, at=NOW),
    SigningKeyPledged(kid=KID, until=LATE, at=NOW),
    SigningKeyRetired(kid=KID, verify_until=SOON, at=NOW),
    SigningKeyRevoked(kid=KID, reason=KeyRevocation.COMPROMISED, at=NOW),
    UserRegistered(
        user_id=ADA,
        email=IN_PROFILE,
        email_claim=EMAIL_CLAIM,
        username=IN_PROFILE,
        username_claim=NAME_CLAIM,
        name=None,
        roles=(USER_ROLE,),
        registered_by=RegisteredBy.SELF,
        at=NOW,
    ),
    PasswordSet(user_id=ADA, password=IN_CREDENTIALS, password_version=1, token_epoch=1, reason=PasswordReason.CHOSEN, at=NOW),
    PasswordRehashed(user_id=ADA, password=IN_CREDENTIALS, password_version=1, at=NOW),
    PasswordsForgotten(user_id=ADA, remembered=5, at=NOW),
    LocaleChosen(user_id=ADA, locale=Locale.DE, at=NOW),
    EmailVerified(user_id=ADA, email_claim=EMAIL_CLAIM, at=NOW),
    EmailChanged(user_id=ADA, email=IN_PROFILE, email_claim=NAME_CLAIM, undo_until=SOON, at=NOW),
    EmailRestored(user_id=ADA, email=IN_PROFILE, email_claim=EMAIL_CLAIM, at=NOW),
    EarlierEmailReleased(user_id=ADA, at=NOW),
    PasswordResetAsked(user_id=ADA, reset_id=RESET, email_claim=EMAIL_CLAIM, expires_at=SOON, at=NOW),
    PasswordResetUsed(user_id=ADA, reset_id=RESET, at=NOW),
    ProfileChanged(user_id=ADA, name=IN_PROFILE, at=NOW),
    UsernameChanged(user_id=ADA, username=None, username_claim=None, at=NOW),
    RoleGranted(user_id=ADA, role=EDITOR, roles_version=2, at=NOW),
    RoleRevoked(user_id=ADA, role=EDITOR, roles_version=3, at=NOW),
    UserSuspended(user_id=ADA, reason=SuspendReason.COMPROMISED, note=IN_PROFILE, token_epoch=2, at=NOW),
    UserReinstated(user_id=ADA, at=NOW),
    ErasureAsked(user_id=ADA, due_at=LATE, at=NOW),
    ErasurePostponed(user_id=ADA, due_at=LATE, at=NOW),
    ErasureWithdrawn(user_id=ADA, at=NOW),
    ErasureBegun(user_id=ADA, at=NOW),
    AttributesSet(user_id=ADA, attributes=IN_PROFILE, at=NOW),
    InvitationMade(invitation_id=INVITATION, email=IN_PROFILE, name=None, roles=(EDITOR,), invited_by=ADA, expires_at=LATE, at=NOW),
    InvitationRenewed(invitation_id=INVITATION, mailing=2, expires_at=LATE, at=NOW),
    InvitationAccepted(invitation_id=INVITATION, user_id=ADA, at=NOW),
    InvitationRevoked(invitation_id=INVITATION, at=NOW),
    UserDeleted(user_id=ADA, reason=DeleteReason.LEFT, token_epoch=3, restorable_until=LATE, at=NOW),
    UserRestored(user_id=ADA, at=NOW),
    NamesReleased(user_id=ADA, at=NOW),
    SignedOutEverywhere(user_id=ADA, token_epoch=3, at=NOW),
    UserErased(
        user_id=ADA,
        asked_by=AskedBy.OWN_REQUEST,
        keys=(IN_PROFILE.key_id, IN_CREDENTIALS.key_id),
        key_count=2,
        invitations=(INVITATION,),
        names=NamesFate.BARRED,
        barred=(EMAIL_CLAIM,),
        names_until=LATE,
        token_epoch=4,
        roles_version=3,
        at=NOW,
    ),
    SessionErased(session_id=SESSION, user_id=ADA, at=NOW),
    ApiKeyErased(key_id=KEY, user_id=ADA, at=NOW),
    FactorsErased(user_id=ADA, at=NOW),
    InvitationErased(invitation_id=INVITATION, user_id=ADA, at=NOW),
    ErasureCompleted(user_id=ADA, told=(TASKS,), names_until=LATE, at=NOW),
    ErasureNamesReleased(user_id=ADA, at=NOW),
    ErasureReminded(user_id=ADA, number=1, at=NOW),
    ErasureAcknowledged(user_id=ADA, audience=TASKS, at=NOW),
    TotpOffered(user_id=ADA, factor_id=FACTOR, seed=IN_CREDENTIALS, at=NOW),
    TotpConfirmed(user_id=ADA, factor_id=FACTOR, step=59_333_333, at=NOW),
    TotpUsed(user_id=ADA, factor_id=FACTOR, step=59_333_334, at=NOW),
    PasskeyRegistered(user_id=ADA, factor_id=FACTOR, credential=IN_CREDENTIALS, sign_count=0, at=NOW),
    PasskeyUsed(user_id=ADA, factor_id=FACTOR, sign_count=7, at=NOW),
    PasskeyRegressed(user_id=ADA, factor_id=FACTOR, sign_count=7, known_count=8, at=NOW),
    FactorNamed(user_id=ADA, factor_id=FACTOR, name=IN_PROFILE, at=NOW),
    FactorRemoved(user_id=ADA, factor_id=FACTOR, kind=FactorKind.TOTP, why=WhyRemoved.SELF, at=NOW),
    MailedCodesEnabled(user_id=ADA, factor_id=FACTOR, at=NOW),
    MailedCodeUsed(user_id=ADA, factor_id=FACTOR, code_id=SESSION, at=NOW),
    RecoveryCodesMade(user_id=ADA, verifiers=IN_CREDENTIALS, count=10, at=NOW),
    RecoveryCodeUsed(user_id=ADA, number=9, at=NOW),
    GuessingPaused(user_id=ADA, failures=10, until=SOON, at=NOW),
    RoleRequirementSet(role=EDITOR, requirement=Requirement.PHISHING_RESISTANT, at=NOW),
    AudienceRequirementSet(audience=TASKS, requirement=Requirement.ANY, at=NOW),
)
BY_TAG: dict[str, Event] = {tag_of(event): event for event in EXAMPLES}


def leaf_of(event: Event) -> Leaf:
    """The event as if it were the third of a stream, done by the user in a session, caused by another event."""
    return Leaf(
        event_id=EventId(UUID("0192f0c1-0000-8000-8000-0000000eeee1")),
        stream=StreamName(f"{tag_of(event).split('.')[0]}-{ADA}"),
        version=3,
        type=tag_of(event),
        recorded_at=micros(NOW),
        actor=f"user:{ADA}",
        session=SESSION,
        command=CommandId(UUID("0192f0c1-0000-7000-8000-00000000c0de")),
        correlation=CorrelationId(UUID("0192f0c1-0000-7000-8000-00000000c0e1")),
        causation=EventId(UUID("0192f0c1-0000-8000-8000-0000000eeee0")),
        key_id=key_of(event),
        payload=Raw(encode_event(event)),
    )
