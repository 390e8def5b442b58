"""Somebody always remains."""

from domain import administrators
from domain.administrators import AdministratorAdded, AdministratorRemoved
from domain.errors import LastAdminProtected
from tests.domain.examples import ADA, BOB, NOW
from tests.domain.given import given

ADA_IN = AdministratorAdded(user_id=ADA, at=NOW)
BOB_IN = AdministratorAdded(user_id=BOB, at=NOW)
ADA_OUT = AdministratorRemoved(user_id=ADA, at=NOW)


def test_an_administrator_is_added_once() -> None:
    given(administrators.decider).when(administrators.add, ADA, at=NOW).then(ADA_IN)
    given(administrators.decider, ADA_IN).when(administrators.add, ADA, at=NOW).then()


def test_one_of_two_administrators_can_go() -> None:
    after = given(administrators.decider, ADA_IN, BOB_IN).when(administrators.remove, ADA, at=NOW).then(ADA_OUT)
    assert after.user_ids == {BOB}


def test_the_last_administrator_cannot_go() -> None:
    given(administrators.decider, ADA_IN).when(administrators.remove, ADA, at=NOW).then_refused(LastAdminProtected)
    given(administrators.decider, ADA_IN, BOB_IN, ADA_OUT).when(administrators.remove, BOB, at=NOW).then_refused(LastAdminProtected)


def test_removing_who_is_no_administrator_changes_nothing() -> None:
    given(administrators.decider, ADA_IN).when(administrators.remove, BOB, at=NOW).then()
    given(administrators.decider).when(administrators.remove, BOB, at=NOW).then()
