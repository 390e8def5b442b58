"""What a signal states. `until` is in whole seconds since 1970: nothing that the fact could make worthless lives longer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec import UNSET, Struct, UnsetType

from domain.ids import AudienceName, ClientId, KeyId, Kid, RoleName, SessionId, TokenId, UserId
from domain.permission import Permission

SignalClass: TypeAlias = str
"""Who may read them: `access` for all there is about access, `roles.<audience>` for what roles give at one audience."""
ACCESS: SignalClass = "access"


class SessionFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="session"):
    """It is over, for ever."""

    id: SessionId
    until: int


class UserFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="user"):
    """Their tokens of an epoch before this one are worth nothing. The highest epoch counts."""

    id: UserId
    epoch: int
    until: int


class ClientFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="client"):
    """As a user's; without an epoch the account is gone for ever, with every token it is named in."""

    id: ClientId
    epoch: int | UnsetType = UNSET
    until: int


class KeyFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="key"):
    """A signing key was withdrawn, for ever: nothing it signed is worth anything."""

    id: Kid
    until: int


class TokenFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="token"):
    """One token of a machine is dead, for ever."""

    id: TokenId
    until: int


class ApiKeyFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="api_key"):
    """What was remembered of this API key is to be asked anew."""

    id: KeyId
    until: int


class RolesFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="roles"):
    """All roles a person has. The highest version counts: what a token of an earlier one has besides counts no more (threats.md 10)."""

    audience: AudienceName
    id: UserId
    roles: tuple[RoleName, ...]
    version: int
    until: int


class RoleMapFact(Struct, frozen=True, kw_only=True, tag_field="kind", tag="role_map"):
    """What a role gives at an audience; a retired one counts as not held. The highest version counts, and it is true until the next."""

    audience: AudienceName
    id: RoleName
    permissions: tuple[Permission, ...]
    retired: bool
    version: int


Fact = SessionFact | UserFact | ClientFact | KeyFact | TokenFact | ApiKeyFact | RolesFact | RoleMapFact


class EventType(StrEnum):
    """What a SET says happened (RFC 8417 2.2), by CAEP and RISC where they have a word for it."""

    SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    CREDENTIAL_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
    TOKEN_CLAIMS_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change"
    ACCOUNT_DISABLED = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
    ACCOUNT_ENABLED = "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
    ACCOUNT_PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
    CLIENT_REVOKED = "urn:minos:event:client-revoked"
    KEY_REVOKED = "urn:minos:event:key-revoked"
    TOKEN_REVOKED = "urn:minos:event:token-revoked"
    API_KEY_REVOKED = "urn:minos:event:api-key-revoked"
    ROLE_MAP = "urn:minos:event:role-map"
    HEARTBEAT = "urn:minos:event:heartbeat"


class Cause(Struct, frozen=True, kw_only=True):
    """Why a fact is told: what happened, in the words of its event type."""

    type: EventType
    members: Mapping[str, str | Mapping[str, tuple[str, ...]]] = {}


class Signal(Struct, frozen=True, kw_only=True):
    """A fact, with why and when. `user_id` is whose session it is."""

    fact: Fact
    cause: Cause
    at: datetime
    user_id: UserId | None = None


def roles_class(audience: AudienceName) -> SignalClass:
    return f"roles.{audience}"


def audience_of(roles: SignalClass) -> AudienceName:
    """Give whose class of roles it is."""
    return AudienceName(roles.removeprefix("roles."))


def class_of(fact: Fact) -> SignalClass:
    return roles_class(fact.audience) if isinstance(fact, RolesFact | RoleMapFact) else ACCESS


def subject_of(fact: Fact) -> str:
    """Give what follows `sig.v1.`, `live.v1.` or `hint.v1.`: one subject for each thing there are facts of."""
    match fact:
        case SessionFact() | UserFact() | ClientFact() | KeyFact() | TokenFact() | ApiKeyFact():
            return f"{ACCESS}.{fact.__struct_config__.tag}.{fact.id}"
        case RolesFact() | RoleMapFact():
            return f"{fact.__struct_config__.tag}.{fact.audience}.{fact.id}"
        case _:
            assert_never(fact)


def until_of(fact: Fact) -> int | None:
    return None if isinstance(fact, RoleMapFact) else fact.until
