"""Roles are data: defined, changed, retired; the built-in ones stay as they are."""

import pytest

from domain import role
from domain.errors import NoSuchRole, RoleExists, RoleProtected
from domain.permission import Permission
from domain.role import ADMIN, BUILT_IN, USER, RoleDefined, RoleEvent, RolePermissionsChanged, RoleRetired
from tests.domain.examples import EDITOR, LATER, NOW
from tests.domain.given import given

READ, WRITE = Permission("tasks.read"), Permission("tasks.write")
DEFINED = RoleDefined(role=EDITOR, permissions=(READ, WRITE), description=None, at=NOW)
NARROWED = RolePermissionsChanged(role=EDITOR, permissions=(READ,), definition=2, at=LATER)
RETIRED = RoleRetired(role=EDITOR, definition=2, at=LATER)


def test_a_role_is_defined_with_its_permissions_sorted_and_each_once() -> None:
    given(role.decider).when(role.define, role=EDITOR, permissions=[WRITE, READ, WRITE], description=None, at=NOW).then(DEFINED)


@pytest.mark.parametrize("past", [(DEFINED,), (DEFINED, RETIRED)])
def test_a_name_that_was_ever_used_is_not_used_again(past: tuple[RoleEvent, ...]) -> None:
    given(role.decider, *past).when(role.define, role=EDITOR, permissions=[READ], description=None, at=LATER).then_refused(RoleExists)


def test_changing_permissions_numbers_the_definition() -> None:
    after = given(role.decider, DEFINED).when(role.change_permissions, permissions=[READ], at=LATER).then(NARROWED)
    assert role.gives(after) == (READ,)


def test_the_same_permissions_in_another_order_are_no_change() -> None:
    given(role.decider, DEFINED).when(role.change_permissions, permissions=[WRITE, READ], at=LATER).then()


def test_a_retired_role_gives_nothing() -> None:
    after = given(role.decider, DEFINED).when(role.retire, at=LATER).then(RETIRED)
    assert role.gives(after) == ()


def test_retiring_twice_changes_nothing() -> None:
    given(role.decider, DEFINED, RETIRED).when(role.retire, at=LATER).then()


def test_a_role_that_is_not_there_cannot_change() -> None:
    given(role.decider).when(role.change_permissions, permissions=[READ], at=NOW).then_refused(NoSuchRole)
    given(role.decider).when(role.retire, at=NOW).then_refused(NoSuchRole)
    given(role.decider, DEFINED, RETIRED).when(role.change_permissions, permissions=[READ], at=NOW).then_refused(NoSuchRole)


@pytest.mark.parametrize("name", [ADMIN, USER])
def test_built_in_roles_cannot_be_changed_or_retired(name: role.RoleName) -> None:
    there = RoleDefined(role=name, permissions=BUILT_IN[name], description=None, at=NOW)
    given(role.decider, there).when(role.change_permissions, permissions=[READ], at=LATER).then_refused(RoleProtected)
    given(role.decider, there).when(role.retire, at=LATER).then_refused(RoleProtected)


def test_a_role_nobody_defined_gives_nothing() -> None:
    assert role.gives(role.Undefined()) == ()
