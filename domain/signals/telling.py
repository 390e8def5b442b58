"""What is told of a change: facts as they are true now, which may be later than the change and never earlier."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import assert_never

from msgspec import UNSET, Struct, UnsetType

from domain.audience import Audience, honours, scope
from domain.audience import Defined as DefinedAudience
from domain.client import Client, Deleted, Registered
from domain.ids import AudienceName, ClientId, RoleName, TokenId, UserId
from domain.permission import Permission
from domain.role import Retired, Role, gives
from domain.signals.changes import (
    ApiKeyAltered,
    AudienceRedefined,
    AudienceRuled,
    Change,
    ClientAltered,
    KeyWithdrawn,
    RoleRedefined,
    RolesChanged,
    SessionOver,
    TokenWithdrawn,
    UserChanged,
)
from domain.signals.facts import (
    ApiKeyFact,
    Cause,
    ClientFact,
    EventType,
    Fact,
    KeyFact,
    RoleMapFact,
    RolesFact,
    SessionFact,
    Signal,
    TokenFact,
    UserFact,
)
from domain.signals.lives import API_KEY, LONGEST_SERVICE, PURGED, SLACK, ends_at
from domain.user import Active, User, epochs_of, roles_of

MOST_ROLES = 512
"""Of one person, told one by one. With more they have none where services judge by themselves, until they hold fewer: such a token has no
room in a request, and a fact without bounds would have none in the set."""


class GivenToken(Struct, frozen=True, kw_only=True):
    """A service token that was issued and has not ended: for weeks it says what an audience may long think otherwise about."""

    token_id: TokenId
    client_id: ClientId
    audience: AudienceName
    permissions: tuple[Permission, ...]
    expires_at: datetime


class Needs(Struct, frozen=True, kw_only=True):
    """What has to be known to tell of some changes. `catalogue`: every role and every audience."""

    users: frozenset[UserId]
    clients: frozenset[ClientId]
    catalogue: bool


class Known(Struct, frozen=True, kw_only=True):
    """What is true now, as heads have it. `told` are the audiences whose services hear of roles: all that are or once were for people.
    `given`: service tokens that an audience's new rules may refuse."""

    users: Mapping[UserId, User] = {}
    clients: Mapping[ClientId, Client] = {}
    roles: Mapping[RoleName, Role] = {}
    audiences: Mapping[AudienceName, Audience] = {}
    told: frozenset[AudienceName] = frozenset()
    given: Sequence[GivenToken] = ()


def needs(changes: Iterable[Change]) -> Needs:
    of = tuple(changes)
    return Needs(
        users=frozenset(c.user_id for c in of if isinstance(c, UserChanged | RolesChanged)),
        clients=frozenset(c.client_id for c in of if isinstance(c, ClientAltered)),
        catalogue=any(isinstance(c, RoleRedefined | AudienceRedefined) for c in of),
    )


def tell(change: Change, known: Known, *, at: datetime, life: int, version: int) -> Sequence[Signal]:
    """Give the signals of a change. `life`: the longest life of an access token so far, in seconds; `version`: of what roles give,
    higher with each change. Raises KeyError where what is needed is not known."""

    def signal(fact: Fact, cause: Cause, user_id: UserId | None = None) -> Signal:
        return Signal(fact=fact, cause=cause, at=at, user_id=user_id)

    until = ends_at(at, life)
    match change:
        case SessionOver():
            return [signal(SessionFact(id=change.session_id, until=until), change.cause, change.user_id)]
        case UserChanged():
            kept = ends_at(at, PURGED) if change.cause.type is EventType.ACCOUNT_PURGED else until
            return [signal(_user_fact(change, known, max(kept, until)), _standing(change.cause, known.users[change.user_id]))]
        case RolesChanged():
            return [signal(fact, _claims(fact)) for fact in _roles_facts(change.user_id, known, until)]
        case RoleRedefined() | AudienceRedefined():
            return [signal(fact, Cause(type=EventType.ROLE_MAP)) for fact in _role_map(change, known, version)]
        case AudienceRuled():
            return [signal(*_machine(token, known, at)) for token in _refused(change, known.given)]
        case ClientAltered() | KeyWithdrawn() | TokenWithdrawn() | ApiKeyAltered():
            return [signal(*_machine(change, known, at))]
        case _:
            assert_never(change)


def _refused(change: AudienceRuled, given: Iterable[GivenToken]) -> list[TokenWithdrawn]:
    """Find what Minos itself would refuse, or would let do less than it says."""
    of_audience = (token for token in given if token.audience == change.audience)
    return [
        TokenWithdrawn(token.token_id, token.expires_at.timestamp())
        for token in of_audience
        if not honours(change.now, token.client_id, token.permissions)
    ]


def _user_fact(change: UserChanged, known: Known, until: int) -> UserFact:
    epoch, _ = epochs_of(known.users[change.user_id])
    return UserFact(id=change.user_id, epoch=epoch, until=until)


def _standing(cause: Cause, user: User) -> Cause:
    """Who was restored while suspended cannot sign in yet."""
    if cause.type is EventType.ACCOUNT_ENABLED and not isinstance(user, Active):
        return Cause(type=EventType.ACCOUNT_DISABLED)
    return cause


def _roles_facts(user_id: UserId, known: Known, until: int) -> list[RolesFact]:
    held = roles_of(known.users[user_id])
    _, version = epochs_of(known.users[user_id])
    roles = tuple(sorted(held)) if len(held) <= MOST_ROLES else ()
    return [RolesFact(audience=audience, id=user_id, roles=roles, version=version, until=until) for audience in sorted(known.told)]


def _claims(fact: RolesFact) -> Cause:
    return Cause(type=EventType.TOKEN_CLAIMS_CHANGE, members={"claims": {"roles": fact.roles}})


def _role_map(change: RoleRedefined | AudienceRedefined, known: Known, version: int) -> list[RoleMapFact]:
    """Of one role at every audience, or of every role at one."""
    match change:
        case RoleRedefined(role=name):
            pairs = [(audience, name) for audience in sorted(known.told)]
        case AudienceRedefined(audience=name):
            pairs = [(name, role) for role in sorted(known.roles)] if name in known.told else []
        case _:
            assert_never(change)
    return [_given(known.audiences[audience], audience, known.roles[role], role, version) for audience, role in pairs]


def _given(audience: Audience, audience_name: AudienceName, role: Role, role_name: RoleName, version: int) -> RoleMapFact:
    permissions = scope(audience.rules, gives(role)) if isinstance(audience, DefinedAudience) else ()
    return RoleMapFact(audience=audience_name, id=role_name, permissions=permissions, retired=isinstance(role, Retired), version=version)


def _machine(change: ClientAltered | KeyWithdrawn | TokenWithdrawn | ApiKeyAltered, known: Known, at: datetime) -> tuple[Fact, Cause]:
    long = ends_at(at, LONGEST_SERVICE)
    match change:
        case ClientAltered(client_id=client_id):
            return ClientFact(id=client_id, epoch=_epoch(known.clients[client_id]), until=long), Cause(type=EventType.CLIENT_REVOKED)
        case KeyWithdrawn(kid=kid):
            return KeyFact(id=kid, until=long), Cause(type=EventType.KEY_REVOKED)
        case TokenWithdrawn(token_id=token_id, expires_at=end):
            return TokenFact(id=token_id, until=ceil(end) + SLACK), Cause(type=EventType.TOKEN_REVOKED)
        case ApiKeyAltered(key_id=key_id):
            return ApiKeyFact(id=key_id, until=ceil(at.timestamp()) + API_KEY), Cause(type=EventType.API_KEY_REVOKED)
        case _:
            assert_never(change)


def _epoch(client: Client) -> int | UnsetType:
    match client:
        case Registered(epoch=epoch):
            return epoch
        case Deleted():
            return UNSET
        case _:
            raise KeyError("a service account that was changed and never registered")
