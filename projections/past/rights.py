"""Who could do what, and when: roles and what they gave, who held them, service accounts, API keys, and whoever was shut out."""

from collections.abc import Iterable
from enum import StrEnum

from domain import client, user
from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon, ApiKeyMade, ApiKeyRevoked, ApiKeyRotated
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
from domain.factor_policy import AudienceRequirementSet, Requirement, RoleRequirementSet
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
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
    UserDeleted,
    UserErased,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
    UserSuspended,
)
from projections.past.facts import SQL
from projections.periods import Fact, Turn
from projections.projection import Periods


class What(StrEnum):
    """The kinds of facts."""

    ROLE = "role"
    """An account holds it."""
    SUSPENDED = "suspended"
    DELETED = "deleted"
    ERASED = "erased"
    """Nothing else is known of whose account it was."""
    EPOCH = "epoch"
    """The number of an account's token epoch; before the first it is 1."""
    DEFINED = "defined"
    """A role, by the number of its definition."""
    GIVES = "gives"
    """A role gives its holders a permission."""
    DEMANDS = "demands"
    """A role gives nothing until a factor was shown, by the place of its requirement among all."""
    REGISTERED = "registered"
    """A service account."""
    MAY = "may"
    """A service account has a permission."""
    MAY_ASK = "may_ask"
    """A service account may ask for tokens for an audience."""
    DISABLED = "disabled"
    """A service account, for a while."""
    OWNER = "owner"
    """An API key is of the account or service account that has this stream."""
    KEY_MAY = "key_may"
    """An API key has a permission, as far as its owner has it."""
    KEY_FOR = "key_for"
    """An API key opens this audience."""
    KEY_UNTIL = "key_until"
    """An API key ends at a time."""


REQUIREMENTS = tuple(Requirement)


def _registered(event: UserRegistered) -> Turn:
    return Turn(begins=tuple(Fact(What.ROLE, role) for role in event.roles))


def _granted(event: RoleGranted) -> Turn:
    return Turn(begins=(Fact(What.ROLE, event.role),))


def _taken(event: RoleRevoked) -> Turn:
    return Turn(ends=(Fact(What.ROLE, event.role),))


def _password_set(event: PasswordSet) -> Turn:
    return Turn(begins=(_epoch(event.token_epoch),)) if event.token_epoch > 1 else Turn()


def _signed_out(event: SignedOutEverywhere) -> Turn:
    return Turn(begins=(_epoch(event.token_epoch),))


def _suspended(event: UserSuspended) -> Turn:
    return Turn(begins=(Fact(What.SUSPENDED), _epoch(event.token_epoch)))


def _reinstated(_: UserReinstated) -> Turn:
    return Turn(ends=(Fact(What.SUSPENDED),))


def _deleted(event: UserDeleted) -> Turn:
    return Turn(begins=(Fact(What.DELETED), _epoch(event.token_epoch)))


def _restored(_: UserRestored) -> Turn:
    return Turn(ends=(Fact(What.DELETED),))


def _erased(event: UserErased) -> Turn:
    return Turn(begins=(Fact(What.ERASED), _epoch(event.token_epoch)), ends=(What.ROLE,))


def _epoch(number: int) -> Fact:
    return Fact(What.EPOCH, number=number)


def _defined(event: RoleDefined) -> Turn:
    return _definition(1, event.permissions)


def _redefined(event: RolePermissionsChanged) -> Turn:
    return _definition(event.definition, event.permissions)


def _definition(number: int, permissions: Iterable[Permission]) -> Turn:
    return Turn(
        begins=(Fact(What.DEFINED, number=number), *(Fact(What.GIVES, permission) for permission in permissions)), ends=(What.GIVES,)
    )


def _retired(_: RoleRetired) -> Turn:
    return Turn(ends=(Fact(What.DEFINED), What.GIVES))


def _demanded(event: RoleRequirementSet) -> Turn:
    if event.requirement is Requirement.NONE:
        return Turn(ends=(Fact(What.DEMANDS, event.role),))
    return Turn(begins=(Fact(What.DEMANDS, event.role, number=REQUIREMENTS.index(event.requirement)),))


def _account(event: ClientRegistered | ClientChanged) -> Turn:
    return Turn(
        begins=(
            *(Fact(What.MAY, permission) for permission in event.permissions),
            *(Fact(What.MAY_ASK, audience) for audience in event.audiences),
            *((Fact(What.REGISTERED),) if isinstance(event, ClientRegistered) else ()),
        ),
        ends=(What.MAY, What.MAY_ASK),
    )


def _disabled(_: ClientDisabled) -> Turn:
    return Turn(begins=(Fact(What.DISABLED),))


def _enabled(_: ClientEnabled) -> Turn:
    return Turn(ends=(Fact(What.DISABLED),))


def _account_deleted(_: ClientDeleted) -> Turn:
    return Turn(ends=(What.MAY, What.MAY_ASK, Fact(What.DISABLED), Fact(What.REGISTERED)))


def _made(event: ApiKeyMade) -> Turn:
    owners = [user.stream(event.user_id)] if event.user_id is not None else []
    owners += [client.stream(event.client_id)] if event.client_id is not None else []
    return Turn(
        begins=(
            *(Fact(What.OWNER, owner) for owner in owners),
            *(Fact(What.KEY_MAY, permission) for permission in event.permissions),
            Fact(What.KEY_FOR, event.audience),
            Fact(What.KEY_UNTIL, until=event.expires_at),
        )
    )


def _rotated(event: ApiKeyRotated) -> Turn:
    return Turn(begins=(Fact(What.KEY_UNTIL, until=event.expires_at),))


def _key_revoked(_: ApiKeyRevoked) -> Turn:
    return Turn(ends=(What.OWNER, What.KEY_MAY, What.KEY_FOR, Fact(What.KEY_UNTIL)))


rights = Periods(
    "rights",
    3,
    frozenset({"user", "role", "factor_policy", "client", "api_key"}),
    turns={
        UserRegistered: _registered,
        RoleGranted: _granted,
        RoleRevoked: _taken,
        PasswordSet: _password_set,
        SignedOutEverywhere: _signed_out,
        UserSuspended: _suspended,
        UserReinstated: _reinstated,
        UserDeleted: _deleted,
        UserErased: _erased,
        UserRestored: _restored,
        RoleDefined: _defined,
        RolePermissionsChanged: _redefined,
        RoleRetired: _retired,
        RoleRequirementSet: _demanded,
        ClientRegistered: _account,
        ClientChanged: _account,
        ClientDisabled: _disabled,
        ClientEnabled: _enabled,
        ClientDeleted: _account_deleted,
        ApiKeyMade: _made,
        ApiKeyRotated: _rotated,
        ApiKeyRevoked: _key_revoked,
    },
    ignores=(
        EmailVerified, EmailChanged, EmailRestored, EarlierEmailReleased, LocaleChosen, PasswordRehashed, PasswordsForgotten,
        ProfileChanged, UsernameChanged, NamesReleased, AudienceRequirementSet, ClientSecretAdded, ClientSecretRemoved, ClientKeyAdded,
        ClientKeyRemoved, ClientTokensRevoked, ApiKeyErased,
        ApiKeyExpiresSoon,
    ),
    sql=SQL | {"index": f"{SQL['index']};\n{SQL['index_turns']}"},
)  # fmt: skip
