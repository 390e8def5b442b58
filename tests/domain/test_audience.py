"""Who may ask for a token for an audience, and what it carries there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import audience
from domain.audience import BUILT_IN, NATS, Defined, PrincipalKind, Retired, Rules, Undefined
from domain.errors import AudienceExists, AudienceNotAllowed, AudienceProtected
from domain.ids import AudienceName, ClientId
from domain.permission import Permission, within
from domain.session import MINOS
from tests.domain.examples import EDITOR, NOW, REPORTER, TASKS, USER_ROLE

READ, WRITE, EVERY = Permission("tasks.read"), Permission("tasks.write"), Permission("tasks.*")


def with_rules(**rules: object) -> Defined:
    return Defined(audience=TASKS, rules=Rules(**rules), definition=1)  # type: ignore[arg-type]  # fields of Rules


@pytest.mark.parametrize("state", [Undefined(), Retired(audience=TASKS, definition=2)])
def test_nobody_gets_a_token_for_what_is_not_registered_or_not_any_more(state: audience.Audience) -> None:
    with pytest.raises(AudienceNotAllowed):
        audience.for_user(state, [USER_ROLE])
    with pytest.raises(AudienceNotAllowed):
        audience.for_client(state, REPORTER)


def test_an_audience_for_services_is_for_no_person_and_the_other_way_round() -> None:
    with pytest.raises(AudienceNotAllowed):
        audience.for_user(with_rules(principals=(PrincipalKind.SERVICE,)), [USER_ROLE])
    with pytest.raises(AudienceNotAllowed):
        audience.for_client(with_rules(principals=(PrincipalKind.USER,)), REPORTER)


def test_a_person_needs_one_of_the_roles_where_there_are_any() -> None:
    state = with_rules(roles=(EDITOR,))
    assert audience.for_user(state, [USER_ROLE, EDITOR]) == state.rules
    with pytest.raises(AudienceNotAllowed):
        audience.for_user(state, [USER_ROLE])


def test_a_service_account_has_to_be_one_of_the_clients_where_there_are_any() -> None:
    state = with_rules(clients=(REPORTER,))
    assert audience.for_client(state, REPORTER) == state.rules
    with pytest.raises(AudienceNotAllowed):
        audience.for_client(state, ClientId("client_other"))


RULES = st.builds(
    Rules,
    permissions=st.sampled_from([(), (READ,), (READ, WRITE), (EVERY,)]),
    principals=st.sampled_from([(PrincipalKind.USER,), (PrincipalKind.SERVICE,), tuple(PrincipalKind)]),
    clients=st.sampled_from([(), (REPORTER,), (ClientId("client_other"),)]),
)
STATES = st.one_of(
    RULES.map(lambda rules: Defined(audience=TASKS, rules=rules, definition=1)), st.sampled_from([Retired(audience=TASKS, definition=2)])
)


@given(before=RULES, now=STATES, held=st.sets(st.sampled_from([READ, WRITE, EVERY])))
def test_a_token_is_honoured_exactly_while_another_would_be_given_that_says_no_less(
    before: Rules, now: audience.Audience, held: set[Permission]
) -> None:
    says = audience.scope(before, held)
    try:
        another = audience.scope(audience.for_client(now, REPORTER), says)
    except AudienceNotAllowed:
        assert not audience.honours(now, REPORTER, says)
    else:
        assert audience.honours(now, REPORTER, says) == within(says, another)
    assert audience.honours(Defined(audience=TASKS, rules=before, definition=1), REPORTER, says) or not _may_ask(before)


def _may_ask(rules: Rules) -> bool:
    return PrincipalKind.SERVICE in rules.principals and (not rules.clients or REPORTER in rules.clients)


def test_threat_7_nats_is_for_services_only() -> None:
    with pytest.raises(AudienceNotAllowed):
        audience.for_user(BUILT_IN[NATS], [USER_ROLE])
    assert audience.for_client(BUILT_IN[NATS], REPORTER) == BUILT_IN[NATS].rules


@pytest.mark.parametrize("name", [MINOS, NATS])
def test_what_is_built_in_is_not_defined_anew(name: AudienceName) -> None:
    with pytest.raises(AudienceProtected):
        audience.define(Undefined(), audience=name, rules=Rules(), description=None, at=NOW)


def test_minos_itself_is_for_everybody() -> None:
    assert audience.for_user(BUILT_IN[MINOS], []) == audience.for_client(BUILT_IN[MINOS], REPORTER) == BUILT_IN[MINOS].rules


def test_a_token_for_nats_carries_signals_and_no_other_right() -> None:
    held = [Permission("minos.*"), Permission("minos.signals.access"), Permission("tasks.read")]
    assert audience.scope(BUILT_IN[NATS].rules, held) == (Permission("minos.signals.*"), Permission("minos.signals.access"))


def test_a_retired_name_is_not_free() -> None:
    with pytest.raises(AudienceExists):
        audience.define(Retired(audience=TASKS, definition=2), audience=TASKS, rules=Rules(), description=None, at=NOW)


def test_a_token_carries_what_the_catalogue_knows_and_its_holder_has() -> None:
    rules = Rules(permissions=(READ, WRITE))
    assert audience.scope(rules, [EVERY]) == (READ, WRITE)
    assert audience.scope(rules, [READ, Permission("notes.read")]) == (READ,)
    assert audience.scope(Rules(permissions=(EVERY,)), [READ]) == (READ,)


def test_what_may_be_done_at_minos_is_in_no_token_for_another() -> None:
    held = [Permission("minos.users.read"), READ]
    assert audience.scope(Rules(), held) == (READ,)
    assert audience.scope(BUILT_IN[MINOS].rules, held) == (Permission("minos.users.read"),)
