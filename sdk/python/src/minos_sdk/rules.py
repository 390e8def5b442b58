"""What a caller has to be: rules composed with `&`, `|` and `~`, each refused with its reason.

    may_refund = require_permission("orders.refund") & (require_role("support") | service_only(allowed=["client_billing"]))

Every rule fails closed: without an identity it is refused, whatever it asks and however it is composed.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from inspect import isawaitable

from minos_sdk import given
from minos_sdk.errors import MinosError, Unauthenticated
from minos_sdk.identity import Identity
from minos_sdk.refusals import PermissionDenied, RoleRequired, ScopeRequired, ServiceRequired, StepUpRequired

ACR_FROM_WEAK_TO_STRONG = ("urn:minos:acr:one-factor", "urn:minos:acr:two-factor", "urn:minos:acr:phishing-resistant")
_IN_HEADERS = given.Shape(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*", "as it can stand in a header field")
Judge = Callable[[Identity, float], MinosError | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`asks` says in words what for, to follow "This asks for". `judge` gives the refusal, or None."""

    asks: str
    judge: Judge

    def __post_init__(self) -> None:
        given.text("asks", self.asks, "what a rule asks for, in words")
        given.function("judge", self.judge, "a function of an identity and a time")

    def refusal(self, identity: Identity | None, *, now: float | None = None) -> MinosError | None:
        """Give why this caller is refused; None where it is not. `now`: seconds since the epoch, the local clock's without it."""
        if identity is None:
            return Unauthenticated()
        return _judged(self.judge, identity, time.time() if now is None else now)

    def require(self, identity: Identity | None, *, now: float | None = None) -> Identity:
        """Raises Unauthenticated and StepUpRequired (401), PermissionDenied and its kinds (403)."""
        refused = self.refusal(identity, now=now)
        if refused is not None:
            raise refused
        if identity is None:
            raise Unauthenticated
        return identity

    def __bool__(self) -> bool:
        """Raises TypeError: `one and other` would be `other` alone, and `not rule` no rule at all."""
        raise TypeError("rules are joined by &, | and ~, not by `and`, `or` and `not`")

    def __and__(self, other: "Rule") -> "Rule":
        _check(other)
        return Rule(f"{self.asks} and {other.asks}", lambda who, now: _both(_judged(self.judge, who, now), _judged(other.judge, who, now)))

    def __or__(self, other: "Rule") -> "Rule":
        _check(other)
        asks = f"({self.asks} or {other.asks})"
        return Rule(asks, lambda who, now: _neither(_judged(self.judge, who, now), _judged(other.judge, who, now), asks))

    def __invert__(self) -> "Rule":
        asks = f"a caller who does not have {self.asks}"
        return Rule(asks, lambda who, now: PermissionDenied(asks) if _judged(self.judge, who, now) is None else None)


def every(rules: Sequence[Rule]) -> Rule | None:
    """Give the rule that all of these make; None for none."""
    joined: Rule | None = None
    for rule in rules:
        _check(rule)
        joined = rule if joined is None else joined & rule
    return joined


def require_that(asks: str, holds: Callable[[Identity], bool], refused: Callable[[str], MinosError] = PermissionDenied) -> Rule:
    """Make a rule of a condition of one's own."""
    given.function("holds", holds, "a function of an identity that gives True or False")
    given.function("refused", refused, "what makes a refusal of a text")
    asked: Callable[[Identity], object] = holds

    def judge(who: Identity, _: float) -> MinosError | None:
        held = asked(who)
        if isawaitable(held):
            raise TypeError("holds gave something to await, which would always be true")
        return None if held else refused(asks)

    return Rule(asks, judge)


def require_role(*roles: str) -> Rule:
    """All of these roles, as narrowed by the newest that is known."""
    wanted = _some("roles", roles, given.SLUG)
    return require_that(_named("role", wanted, "and"), lambda who: wanted <= who.roles, RoleRequired)


def require_any_role(*roles: str) -> Rule:
    wanted = _some("roles", roles, given.SLUG)
    return require_that(_named("role", wanted, "or"), lambda who: bool(wanted & who.roles), RoleRequired)


def require_permission(*permissions: str) -> Rule:
    """All of these. `tasks.*` in hand covers `tasks.read`, never `tasks` or `tasksadmin.read`."""
    wanted = _some("permissions", permissions, given.PERMISSION)
    return require_that(_named("permission", wanted, "and"), lambda who: all(who.has_permission(one) for one in wanted))


def require_any_permission(*permissions: str) -> Rule:
    wanted = _some("permissions", permissions, given.PERMISSION)
    return require_that(_named("permission", wanted, "or"), lambda who: any(who.has_permission(one) for one in wanted))


def require_scope(*scopes: str) -> Rule:
    """All of these, letter by letter (RFC 6749 3.3)."""
    wanted = _some("scopes", scopes, given.SCOPE)
    return require_that(_named("scope", wanted, "and"), lambda who: wanted <= who.scopes, ScopeRequired)


def require_any_scope(*scopes: str) -> Rule:
    wanted = _some("scopes", scopes, given.SCOPE)
    return require_that(_named("scope", wanted, "or"), lambda who: bool(wanted & who.scopes), ScopeRequired)


def require_user() -> Rule:
    """A person with a session: no machine, and no API key of a person's."""
    return require_that("a person's own session", lambda who: who.principal == "user" and who.session_id is not None)


def service_only(*, allowed: Collection[str]) -> Rule:
    """Service accounts named by their client ids; never a person, never an API key."""
    named = _some("allowed", allowed, given.SLUG)
    return require_that("a service that is let in here", lambda who: who.principal == "service" and who.client_id in named, ServiceRequired)


def require_fresh_auth(*, max_age: int, acr: str | None = None, methods: Collection[str] | None = None) -> Rule:
    """A person's proof no older than `max_age` seconds, worth `acr` or more, by one of `methods` (`amr`) if any are named.

    Refused with the challenge of RFC 9470, which a client answers by asking for that proof.
    """
    given.whole("max_age", max_age, least=1, unit="whole seconds")
    if acr is not None:
        given.text("acr", acr, "how strong a proof has to be", shape=_IN_HEADERS)
    wanted = None if methods is None else _some("methods", methods, given.SCOPE)

    def judge(who: Identity, now: float) -> MinosError | None:
        if who.principal != "user" or who.auth_time is None:
            return PermissionDenied(rule.asks)
        fresh = max(now, who.issued_at or 0) - who.auth_time <= max_age  # a clock here that is behind makes no proof younger
        shown = wanted is None or not wanted.isdisjoint(who.amr)
        return None if fresh and shown and _reaches(who.acr, acr) else StepUpRequired(max_age=max_age, acr=acr)

    rule = Rule(f"a proof of who is there, no older than {max_age} s", judge)
    return rule


def _reaches(acr: str | None, wanted: str | None) -> bool:
    """What is not in our order is reached by itself alone."""
    if wanted is None or acr == wanted:
        return True
    order = ACR_FROM_WEAK_TO_STRONG
    return acr in order and wanted in order and order.index(acr) >= order.index(wanted)


def _both(one: MinosError | None, other: MinosError | None) -> MinosError | None:
    """Of two refusals the one that no fresh proof would mend: nobody is sent for a proof that does not help them."""
    return other if one is None or (isinstance(one, StepUpRequired) and other is not None) else one


def _neither(one: MinosError | None, other: MinosError | None, asks: str) -> MinosError | None:
    if one is None or other is None:
        return None
    for refused in (one, other):
        if isinstance(refused, StepUpRequired):
            return refused
    return PermissionDenied(asks)


def _check(rule: object) -> None:
    """Say it where it is written, and not where somebody asks."""
    if not isinstance(rule, Rule):
        raise TypeError(f"a rule is what require_permission(...) and its like give, not {type(rule).__name__}")


def _judged(judge: Callable[[Identity, float], object], who: Identity, now: float) -> MinosError | None:
    """Raises TypeError for what is neither a refusal nor None, of which `~` would make a yes."""
    refused = judge(who, now)
    if refused is not None and not isinstance(refused, MinosError):
        raise TypeError("judge gives a refusal, a MinosError, or None")
    return refused


def _some(kind: str, names: Collection[str], shape: given.Shape) -> frozenset[str]:
    return frozenset(given.texts(kind, names, shape, least=1))


def _named(kind: str, names: frozenset[str], joined_by: str) -> str:
    plural = "s" if len(names) > 1 else ""
    return f"the {kind}{plural} {f' {joined_by} '.join(sorted(names))}"
