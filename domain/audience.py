"""A service that tokens may be issued for: what it knows of permissions, how its tokens are signed, who may ask for one.

Stages: Undefined -> Defined -> Retired. `minos` and `nats` are built in and have no stream. Its rules are held at every issue.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, assert_never

from msgspec import Meta, Struct

from domain.decider import Decider
from domain.errors import AudienceExists, AudienceNotAllowed, AudienceProtected, NoSuchAudience
from domain.event import Event, Sealed
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, RoleName, RoleSlug, StreamName
from domain.permission import Permission, PermissionText, covers, shared, within
from domain.session import MINOS
from domain.signal_rights import SIGNALS
from domain.signing_key import Algorithm

NATS = AudienceName("nats")
"""Connections to NATS: for services only, for what they may read there (threats.md 7)."""
OURS = Permission("minos.*")
"""What may be done at Minos itself: never in a token for another."""


class PrincipalKind(StrEnum):
    """What the subject of a token is."""

    USER = "user"
    SERVICE = "service"


class Rules(Struct, frozen=True, kw_only=True):
    """What an audience is like. With no `permissions` its catalogue is not known yet, and a token may carry any but ours."""

    permissions: Annotated[tuple[PermissionText, ...], Meta(max_length=256)] = ()
    algorithm: Algorithm | None = None
    """What its tokens are signed with; by default as `MINOS_SIGNING_ALGORITHM` says."""
    access_token_ttl: Annotated[int, Meta(ge=30, le=3_600)] | None = None
    """Seconds; by default as `MINOS_ACCESS_TOKEN_TTL` says."""
    principals: Annotated[tuple[PrincipalKind, ...], Meta(min_length=1, max_length=2)] = (PrincipalKind.USER, PrincipalKind.SERVICE)
    roles: Annotated[tuple[RoleSlug, ...], Meta(max_length=64)] = ()
    """A person needs one of these; where there are none, any person may ask."""
    clients: Annotated[tuple[ClientSlug, ...], Meta(max_length=256)] = ()
    """A service account has to be one of these; where there are none, any that has the audience among its own."""


class AudienceDefined(Event, frozen=True, kw_only=True, tag="audience.defined.v1"):
    audience: AudienceSlug
    rules: Rules
    description: Sealed | None


class AudienceChanged(Event, frozen=True, kw_only=True, tag="audience.changed.v1"):
    audience: AudienceSlug
    rules: Rules
    definition: int
    """Rises with every change, from 1."""


class AudienceRetired(Event, frozen=True, kw_only=True, tag="audience.retired.v1"):
    audience: AudienceSlug
    definition: int


AudienceEvent = AudienceDefined | AudienceChanged | AudienceRetired


class Undefined(Struct, frozen=True, tag="undefined"):
    pass


class Defined(Struct, frozen=True, kw_only=True, tag="defined"):
    audience: AudienceSlug
    rules: Rules
    definition: int


class Retired(Struct, frozen=True, kw_only=True, tag="retired"):
    """No token is issued for it any more, and its name is not used again."""

    audience: AudienceSlug
    definition: int


Audience = Undefined | Defined | Retired
BUILT_IN: Mapping[AudienceName, Defined] = {
    MINOS: Defined(audience=MINOS, rules=Rules(permissions=(OURS,)), definition=1),
    NATS: Defined(audience=NATS, rules=Rules(permissions=(SIGNALS,), principals=(PrincipalKind.SERVICE,)), definition=1),
}


def evolve(state: Audience, event: AudienceEvent) -> Audience:
    match event:
        case AudienceDefined():
            return Defined(audience=event.audience, rules=event.rules, definition=1)
        case AudienceChanged():
            if not isinstance(state, Defined):
                return state
            return Defined(audience=event.audience, rules=event.rules, definition=event.definition)
        case AudienceRetired():
            return Retired(audience=event.audience, definition=event.definition)
        case _:
            assert_never(event)


decider: Decider[Audience, AudienceEvent] = Decider("audience", Audience, 1, Undefined(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(audience: AudienceName) -> StreamName:
    return StreamName(f"audience-{audience}")


def define(state: Audience, *, audience: AudienceName, rules: Rules, description: Sealed | None, at: datetime) -> Sequence[AudienceEvent]:
    """Raises AudienceExists (also for a retired name), AudienceProtected."""
    if audience in BUILT_IN:
        raise AudienceProtected
    if not isinstance(state, Undefined):
        raise AudienceExists
    return [AudienceDefined(audience=audience, rules=_ordered(rules), description=description, at=at)]


def change(state: Audience, *, rules: Rules, at: datetime) -> Sequence[AudienceEvent]:
    """Raises NoSuchAudience. Tokens that people were given before are good until they expire; of machines' tokens `honours` says it."""
    now = defined(state)
    wanted = _ordered(rules)
    if wanted == now.rules:
        return []
    return [AudienceChanged(audience=now.audience, rules=wanted, definition=now.definition + 1, at=at)]


def retire(state: Audience, *, at: datetime) -> Sequence[AudienceEvent]:
    match state:
        case Undefined():
            raise NoSuchAudience
        case Retired():
            return []
        case Defined():
            return [AudienceRetired(audience=state.audience, definition=state.definition + 1, at=at)]
        case _:
            assert_never(state)


def defined(state: Audience) -> Defined:
    """Raises NoSuchAudience for one that is not there, or not any more."""
    if not isinstance(state, Defined):
        raise NoSuchAudience
    return state


def open_to_people(state: Audience) -> Defined:
    """Give an audience that some person may ask for. Raises AudienceNotAllowed."""
    if not isinstance(state, Defined) or PrincipalKind.USER not in state.rules.principals:
        raise AudienceNotAllowed
    return state


def for_user(state: Audience, roles: Iterable[RoleName]) -> Rules:
    """Give the rules a person's token is made by. Raises AudienceNotAllowed for who may not ask."""
    rules = open_to_people(state).rules
    if rules.roles and not set(rules.roles) & set(roles):
        raise AudienceNotAllowed
    return rules


def open_to_services(state: Audience) -> Defined:
    """Give an audience that some service account may ask for. Raises AudienceNotAllowed."""
    if not isinstance(state, Defined) or PrincipalKind.SERVICE not in state.rules.principals:
        raise AudienceNotAllowed
    return state


def for_client(state: Audience, client_id: ClientId) -> Rules:
    """Give the rules a service account's token is made by. Raises AudienceNotAllowed for who may not ask."""
    rules = open_to_services(state).rules
    if rules.clients and client_id not in rules.clients:
        raise AudienceNotAllowed
    return rules


def scope(rules: Rules, held: Iterable[Permission]) -> tuple[Permission, ...]:
    """Give what of the permissions held means anything to an audience: a token carries no more."""
    if rules.permissions:
        return shared(rules.permissions, held)
    return tuple(sorted({p for p in held if not covers(OURS, p)}))


def honours(state: Audience, client_id: ClientId, given: Iterable[Permission]) -> bool:
    """Tell whether what a service account's token says is all still so: it may ask, and for each of these permissions."""
    held = tuple(given)
    try:
        return within(held, scope(for_client(state, client_id), held))
    except AudienceNotAllowed:
        return False


def in_catalogue(audience: AudienceName, rules: Rules, held: Iterable[Permission]) -> tuple[Permission, ...]:
    """As `scope`, for a key, which asks Minos itself with any permission: there, what means nothing opens nothing."""
    return tuple(held) if audience == MINOS else scope(rules, held)


def _ordered(rules: Rules) -> Rules:
    return Rules(
        permissions=tuple(sorted(set(rules.permissions))),
        algorithm=rules.algorithm,
        access_token_ttl=rules.access_token_ttl,
        principals=tuple(sorted(set(rules.principals))),
        roles=tuple(sorted(set(rules.roles))),
        clients=tuple(sorted(set(rules.clients))),
    )
