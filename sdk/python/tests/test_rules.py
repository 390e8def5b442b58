"""Rules fail closed, compose, and say why."""

from dataclasses import replace
from typing import Any

import pytest

from minos_sdk import Identity
from minos_sdk.errors import MinosError, Unauthenticated
from minos_sdk.refusals import PermissionDenied, RoleRequired, ScopeRequired, ServiceRequired, StepUpRequired
from minos_sdk.rules import (
    Rule,
    every,
    require_any_permission,
    require_any_role,
    require_any_scope,
    require_fresh_auth,
    require_permission,
    require_role,
    require_scope,
    require_that,
    require_user,
    service_only,
)

NOW = 1_000_000.0
ADA = Identity(
    principal="user", subject="ada", user_id="ada", session_id="s1", audience="shop", client_id="minos",
    roles=frozenset({"clerk", "user"}), permissions=frozenset({"orders.*", "stock.read"}),
    auth_time=int(NOW) - 100, acr="urn:minos:acr:two-factor", amr=("pwd", "otp", "mfa"),
)  # fmt: skip
EXPORT = Identity(
    principal="service", subject="client_export", client_id="client_export", audience="shop",
    permissions=frozenset({"orders.read"}), scopes=frozenset({"orders.read", "stock.read"}),
)  # fmt: skip
KEY = Identity(principal="api_key", subject="ada", user_id="ada", key_id="k1", audience="shop", permissions=frozenset({"orders.read"}))
EVERY_KIND = [
    require_role("clerk"), require_any_role("clerk"), require_permission("orders.read"), require_any_permission("orders.read"),
    require_scope("orders.read"), require_any_scope("orders.read"), require_fresh_auth(max_age=300), require_user(),
    service_only(allowed=["client_export"]), require_that("anything", lambda _: True),
]  # fmt: skip


def keeps(rule: Rule, who: Identity) -> bool:
    return rule.refusal(who, now=NOW) is None


def refusal(rule: Rule, who: Identity) -> MinosError:
    refused = rule.refusal(who, now=NOW)
    assert refused is not None
    return refused


@pytest.mark.parametrize("rule", EVERY_KIND, ids=range(len(EVERY_KIND)))
def test_attack_request_without_an_identity_keeps_no_rule_and_no_opposite_of_one(rule: Rule) -> None:
    for each in (rule, ~rule, rule | ~rule, ~(rule & ~rule)):
        assert isinstance(each.refusal(None), Unauthenticated)
        with pytest.raises(Unauthenticated):
            each.require(None)


def test_all_roles_or_any() -> None:
    assert keeps(require_role("clerk", "user"), ADA)
    assert not keeps(require_role("clerk", "admin"), ADA)
    assert keeps(require_any_role("clerk", "admin"), ADA)
    assert str(refusal(require_role("admin", "owner"), ADA)) == "This asks for the roles admin and owner."
    assert refusal(require_any_role("admin"), ADA).code == RoleRequired.code


def test_permissions_cover_by_whole_segments() -> None:
    assert keeps(require_permission("orders.refund", "stock.read"), ADA)
    assert not keeps(require_permission("ordersadmin.read"), ADA)
    assert keeps(require_any_permission("stock.write", "orders.read"), ADA)
    assert refusal(require_permission("stock.write"), ADA).code == "permission_denied"


def test_scopes_are_compared_letter_by_letter() -> None:
    assert keeps(require_scope("orders.read", "stock.read"), EXPORT)
    assert keeps(require_any_scope("stock.write", "stock.read"), EXPORT)
    assert refusal(require_scope("orders.write"), EXPORT).code == ScopeRequired.code


def test_only_services_that_are_named_pass_and_never_a_key_or_a_person() -> None:
    rule = service_only(allowed=["client_export"])
    assert keeps(rule, EXPORT)
    stranger = Identity(principal="service", subject="client_other", client_id="client_other", audience="shop")
    person = Identity(principal="user", subject="u", client_id="client_export", audience="shop")
    key = Identity(principal="api_key", subject="client_export", client_id="client_export", audience="shop")
    assert {refusal(rule, each).code for each in (stranger, person, key)} == {ServiceRequired.code}


def test_a_proof_has_to_be_fresh_and_strong_enough() -> None:
    assert keeps(require_fresh_auth(max_age=100, acr="urn:minos:acr:two-factor"), ADA)
    assert keeps(require_fresh_auth(max_age=100, acr="urn:minos:acr:one-factor", methods=["otp"]), ADA)
    assert not keeps(require_fresh_auth(max_age=99), ADA)
    assert not keeps(require_fresh_auth(max_age=100, methods=["hwk"]), ADA)
    assert not keeps(require_fresh_auth(max_age=100, acr="https://another/acr"), ADA)
    refused = refusal(require_fresh_auth(max_age=100, acr="urn:minos:acr:phishing-resistant"), ADA)
    assert (refused.status, refused.code) == (401, "reauthentication_required")
    assert refused.challenge() == (
        'Bearer error="insufficient_user_authentication", error_description="A fresher or stronger proof is needed.", '
        'max_age="100", acr_values="urn:minos:acr:phishing-resistant"'
    )


def test_attack_clock_that_is_behind_makes_an_old_proof_fresh() -> None:
    """The token was issued later than this clock says it is: so much is certain."""
    late = replace(ADA, auth_time=int(NOW), issued_at=int(NOW) + 3_600)
    assert refusal(require_fresh_auth(max_age=300), late).status == 401


@pytest.mark.parametrize("who", [EXPORT, KEY], ids=["service", "api_key"])
def test_who_is_no_person_is_not_sent_for_a_proof(who: Identity) -> None:
    for each in (who, replace(who, auth_time=int(NOW))):
        assert refusal(require_fresh_auth(max_age=10), each).status == 403


def test_rules_compose_and_say_what_all_of_it_asks_for() -> None:
    rule = require_permission("orders.refund") & (require_role("support") | service_only(allowed=["client_export"]))
    assert str(refusal(rule, ADA)) == "This asks for (the role support or a service that is let in here)."
    assert keeps(require_role("clerk") & ~require_role("admin"), ADA)
    assert str(refusal(~require_role("clerk"), ADA)) == "This asks for a caller who does not have the role clerk."
    assert keeps(~~require_role("clerk"), ADA)


def test_nobody_is_sent_for_a_proof_that_would_not_help_them() -> None:
    stale, lacking = require_fresh_auth(max_age=1), require_role("admin")
    for both in (stale & lacking, lacking & stale):
        assert refusal(both, ADA).status == 403
    for either in (stale | lacking, lacking | stale):
        assert isinstance(refusal(either, ADA), StepUpRequired)


def test_a_rule_that_would_ask_for_nothing_cannot_be_made() -> None:
    for make in (require_role, require_any_role, require_permission, require_any_permission, require_scope, require_any_scope):
        with pytest.raises(ValueError, match="at least 1"):
            make()
    for acr in ("", 'x"', "stärker", "a\r\nb"):
        with pytest.raises(ValueError, match="header"):
            require_fresh_auth(max_age=1, acr=acr)


async def no(*_: object) -> bool:
    return False


class Later:
    def __await__(self) -> Any: ...


def test_attack_condition_that_is_always_true_since_nobody_awaits_it() -> None:
    for wrong in (lambda: require_that("a caller of ours", no), lambda: Rule("a caller of ours", no)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="async"):
            wrong()
    forgotten: Any = lambda *_: Later()  # noqa: E731 - of this nobody sees what it gives
    for rule in (require_that("ours", forgotten), ~Rule("ours", forgotten)):
        with pytest.raises(TypeError, match=r"await|judge gives"):
            rule.require(ADA, now=NOW)


def test_rules_are_not_joined_by_words() -> None:
    """`one and other` is `other`: whoever writes that would ask for less than they see."""
    for joined in ("one and other", "one or other", "not one"):
        with pytest.raises(TypeError, match="joined by &"):
            eval(joined, {"one": require_role("clerk"), "other": require_role("user")})  # noqa: S307 - our own words


def test_what_is_no_rule_is_refused_where_it_is_written() -> None:
    for wrong in (
        lambda: every(["orders.read"]),  # type: ignore[list-item]
        lambda: require_role("clerk") & "user",  # type: ignore[operator]
        lambda: require_role("clerk") | None,  # type: ignore[operator]
    ):
        with pytest.raises(TypeError, match="a rule is what"):
            wrong()


def test_a_condition_of_ones_own_is_a_rule() -> None:
    own = require_that("a caller of ours", lambda who: who.subject == "ada", PermissionDenied)
    assert keeps(own, ADA)
    assert str(refusal(own & require_role("clerk"), EXPORT)) == "This asks for a caller of ours."


def test_several_rules_are_all_kept_and_none_is_no_rule() -> None:
    joined = every([require_role("clerk"), require_role("admin")])
    assert joined is not None
    assert not keeps(joined, ADA)
    assert every([]) is None
