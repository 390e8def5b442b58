"""Who has to show a second factor: what is asked of the holders of a role, and of whoever wants a token for an audience.

One stream for all of it, so that a sign-in finds it with one head more in the question it asks anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from domain.assurance import SECOND_FACTORS, Acr, acr_of, at_least
from domain.decider import Decider
from domain.event import Event
from domain.ids import AudienceName, AudienceSlug, RoleName, RoleSlug, StreamName
from domain.session_events import AuthMethod

N = TypeVar("N", bound=str)


class Requirement(StrEnum):
    """What has to be shown, from little to much."""

    NONE = "none"
    """Nothing, except of who has a factor: that one is asked for anyway."""
    ANY = "any"
    """Any second factor; a recovery code will do."""
    PHISHING_RESISTANT = "phishing_resistant"
    """A passkey."""


class RoleRequirementSet(Event, frozen=True, kw_only=True, tag="factor_policy.role_set.v1"):
    role: RoleSlug
    requirement: Requirement


class AudienceRequirementSet(Event, frozen=True, kw_only=True, tag="factor_policy.audience_set.v1"):
    audience: AudienceSlug
    requirement: Requirement


FactorPolicyEvent = RoleRequirementSet | AudienceRequirementSet


class FactorPolicy(Struct, frozen=True, kw_only=True):
    """Only what asks for something is listed."""

    roles: dict[RoleSlug, Requirement] = field(default_factory=dict[RoleSlug, Requirement])
    audiences: dict[AudienceSlug, Requirement] = field(default_factory=dict[AudienceSlug, Requirement])

    def asks(self, roles: Iterable[RoleName], audience: AudienceName) -> Requirement:
        """Give the most that these roles and this audience ask for."""
        if not self.roles and not self.audiences:
            return Requirement.NONE
        asked = [self.audiences.get(audience, Requirement.NONE), *(self.roles.get(role, Requirement.NONE) for role in roles)]
        return max(asked, key=_MUCH.__getitem__)


_MUCH = {requirement: much for much, requirement in enumerate(Requirement)}


def evolve(state: FactorPolicy, event: FactorPolicyEvent) -> FactorPolicy:
    match event:
        case RoleRequirementSet():
            return replace(state, roles=_with(state.roles, event.role, event.requirement))
        case AudienceRequirementSet():
            return replace(state, audiences=_with(state.audiences, event.audience, event.requirement))
        case _:
            assert_never(event)


def _with(asked: Mapping[N, Requirement], name: N, requirement: Requirement) -> dict[N, Requirement]:
    others = {other: what for other, what in asked.items() if other != name}
    return others if requirement is Requirement.NONE else dict(sorted((others | {name: requirement}).items()))


decider: Decider[FactorPolicy, FactorPolicyEvent] = Decider("factor_policy", FactorPolicy, 1, FactorPolicy(), evolve)
STREAM = StreamName("factor_policy")


def ask_of_role(state: FactorPolicy, *, role: RoleName, requirement: Requirement, at: datetime) -> Sequence[FactorPolicyEvent]:
    if state.roles.get(role, Requirement.NONE) is requirement:
        return []
    return [RoleRequirementSet(role=role, requirement=requirement, at=at)]


def ask_at_audience(state: FactorPolicy, *, audience: AudienceName, requirement: Requirement, at: datetime) -> Sequence[FactorPolicyEvent]:
    if state.audiences.get(audience, Requirement.NONE) is requirement:
        return []
    return [AudienceRequirementSet(audience=audience, requirement=requirement, at=at)]


def asks_more(requirement: Requirement, before: Requirement) -> bool:
    return _MUCH[requirement] > _MUCH[before]


def meets(requirement: Requirement, shown: Iterable[AuthMethod]) -> bool:
    """Tell whether what was shown is as much as is asked for."""
    match requirement:
        case Requirement.NONE:
            return True
        case Requirement.ANY:
            return shows_factor(shown)
        case Requirement.PHISHING_RESISTANT:
            return acr_of(shown) is Acr.PHISHING_RESISTANT
        case _:
            assert_never(requirement)


def is_enough(shown: Iterable[AuthMethod], requirement: Requirement, *, enrolled: bool) -> bool:
    """Tell whether a session may begin: whoever has a factor shows one, whatever is asked of others."""
    methods = frozenset(shown)
    return meets(requirement, methods) and (not enrolled or shows_factor(methods))


def shows_factor(methods: Iterable[AuthMethod]) -> bool:
    """Tell whether something besides a password was shown. A recovery code lets in, although it steps up to nothing."""
    shown = frozenset(methods)
    return AuthMethod.RECOVERY in shown or (not SECOND_FACTORS.isdisjoint(shown) and at_least(acr_of(shown), Acr.TWO_FACTOR))


def acr_for(requirement: Requirement) -> Acr:
    """Give what a proof that meets it is worth."""
    match requirement:
        case Requirement.NONE:
            return Acr.ONE_FACTOR
        case Requirement.ANY:
            return Acr.TWO_FACTOR
        case Requirement.PHISHING_RESISTANT:
            return Acr.PHISHING_RESISTANT
        case _:
            assert_never(requirement)
