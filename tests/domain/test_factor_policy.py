"""What is demanded of whom, and what is enough."""

import pytest

from domain import factor_policy
from domain.factor_policy import FactorPolicy, Requirement, is_enough, meets
from domain.ids import AudienceName, RoleName
from domain.session_events import AuthMethod
from tests.domain.examples import EDITOR, NOTES, NOW, TASKS, USER_ROLE

NONE, ANY, RESISTANT = Requirement
PASSWORD = AuthMethod.PASSWORD
POLICY = FactorPolicy(roles={EDITOR: ANY}, audiences={TASKS: RESISTANT})


@pytest.mark.parametrize(
    ("roles", "audience", "asked"),
    [
        ([], NOTES, NONE),
        ([USER_ROLE], NOTES, NONE),
        ([USER_ROLE, EDITOR], NOTES, ANY),
        ([], TASKS, RESISTANT),
        ([EDITOR], TASKS, RESISTANT),
    ],
)
def test_of_several_demands_the_most_counts(roles: list[RoleName], audience: AudienceName, asked: Requirement) -> None:
    assert POLICY.asks(roles, audience) is asked


@pytest.mark.parametrize(
    ("shown", "met"),
    [
        ([PASSWORD], {NONE}),
        ([PASSWORD, AuthMethod.OTP], {NONE, ANY}),
        ([PASSWORD, AuthMethod.EMAIL], {NONE, ANY}),
        ([PASSWORD, AuthMethod.RECOVERY], {NONE, ANY}),
        ([AuthMethod.EMAIL], {NONE}),
        ([AuthMethod.PASSKEY], {NONE}),
        ([AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED], {NONE, ANY, RESISTANT}),
        ([PASSWORD, AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED], {NONE, ANY, RESISTANT}),
    ],
)
def test_what_was_shown_meets(shown: list[AuthMethod], met: set[Requirement]) -> None:
    assert {requirement for requirement in Requirement if meets(requirement, shown)} == met


def test_who_has_a_factor_shows_one_even_where_nothing_is_demanded() -> None:
    assert is_enough([PASSWORD], NONE, enrolled=False)
    assert not is_enough([PASSWORD], NONE, enrolled=True)
    assert is_enough([PASSWORD, AuthMethod.RECOVERY], NONE, enrolled=True)


def test_what_is_no_longer_demanded_leaves_no_trace_in_the_state() -> None:
    event = factor_policy.RoleRequirementSet(role=EDITOR, requirement=NONE, at=NOW)
    state = factor_policy.evolve(POLICY, event)
    assert state.roles == {}
