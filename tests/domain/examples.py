"""Fixed ids, times and ciphertexts that the domain's tests share."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Sealed
from domain.ids import (
    ActionId,
    ActionName,
    AudienceName,
    ClaimId,
    ClientId,
    Digest,
    FactorId,
    InvitationId,
    KekId,
    KeyId,
    Kid,
    ResetId,
    RoleName,
    SecretId,
    SessionId,
    SubjectKeyId,
    TokenId,
    UserId,
)

NOW = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ADA = UserId(UUID("0192f0c1-0000-7000-8000-00000000ada0"))
BOB = UserId(UUID("0192f0c1-0000-7000-8000-00000000b0b0"))
SESSION = SessionId(UUID("0192f0c1-0000-7000-8000-000000005e55"))
EMAIL_CLAIM = ClaimId(UUID("0192f0c1-0000-7000-8000-00000000c1a1"))
NAME_CLAIM = ClaimId(UUID("0192f0c1-0000-7000-8000-00000000c1a2"))
OTHER_CLAIM = ClaimId(UUID("0192f0c1-0000-7000-8000-00000000c1a3"))
PROFILE_KEY = SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e01"))
CREDENTIAL_KEY = SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e02"))
NEXT_CREDENTIAL_KEY = SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e03"))
TELEMETRY_KEY = SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e04"))
EMAIL = Sealed(PROFILE_KEY, b"sealed email")
USERNAME = Sealed(PROFILE_KEY, b"sealed username")
NAME = Sealed(PROFILE_KEY, b"sealed name")
OTHER_NAME = Sealed(PROFILE_KEY, b"another sealed name")
PASSWORD = Sealed(CREDENTIAL_KEY, b"sealed password hash")
NEXT_PASSWORD = Sealed(NEXT_CREDENTIAL_KEY, b"next sealed password hash")
NETWORK = Sealed(TELEMETRY_KEY, b"sealed network")
INVITATION = InvitationId(UUID("0192f0c1-0000-7000-8000-000000000171"))
RESET = ResetId(UUID("0192f0c1-0000-7000-8000-00000000e5e7"))
KID = Kid("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
USER_ROLE = RoleName("user")
EDITOR = RoleName("editor")
ROOT_KEK = KekId("mk-0123456789abcdef")
MONTH_KEK = KekId("mo-2026-11-fedcba9876543210")
TASKS = AudienceName("tasks")
NOTES = AudienceName("notes")
FIRST_PARTY = ClientId("minos")
REFUND = ActionName("refund")
ACTION = ActionId(UUID("0192f0c1-0000-7000-8000-00000000ac70"))
REPORTER = ClientId("client_reporter")
TOKEN = TokenId(UUID("0192f0c1-0000-7000-8000-00000000707e"))
KEY = KeyId(UUID("0192f0c1-0000-7000-8000-00000000aca1"))
OTHER_KEY = KeyId(UUID("0192f0c1-0000-7000-8000-00000000aca2"))
SECRET_ID = SecretId(UUID("0192f0c1-0000-7000-8000-00000005ec01"))
NEXT_SECRET_ID = SecretId(UUID("0192f0c1-0000-7000-8000-00000005ec02"))
DIGEST = Digest("rY5bRcrNbpBoRyRMJ9wVUYqEJ0oZcGRPzBn0qPoIEuE")
SEED = bytes(range(32))
FACTOR = FactorId(UUID("0192f0c1-0000-7000-8000-00000000fac1"))
OTHER_FACTOR = FactorId(UUID("0192f0c1-0000-7000-8000-00000000fac2"))
TOTP_SEED = Sealed(SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e05")), b"sealed totp seed")
VERIFIERS = Sealed(SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e06")), b"sealed verifiers")
CREDENTIAL = Sealed(SubjectKeyId(UUID("0192f0c1-0000-7000-8000-000000000e07")), b"sealed credential")
