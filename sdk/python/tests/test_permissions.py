import pytest

from minos_sdk import Identity, allows, covers


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("tasks.read", "tasks.read"),
        ("tasks.*", "tasks.read"),
        ("tasks.*", "tasks.read.own"),
        ("*", "anything.at.all"),
        ("*.read", "tasks.read"),
        ("tasks.*.own", "tasks.read.own"),
        ("tasks.*", "tasks.*"),
    ],
)
def test_a_permission_covers_what_it_stands_for(held: str, wanted: str) -> None:
    assert covers(held, wanted)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("tasks.*", "tasks"),
        ("tasks.*", "tasksadmin.read"),
        ("tasks.read", "tasks.read.own"),
        ("tasks.read.own", "tasks.read"),
        ("*.read", "tasks.write"),
        ("tasks.*.own", "tasks.read.others"),
        ("tasks.read", "tasks.*"),
        ("tasks.read", ""),
    ],
)
def test_a_permission_covers_nothing_beside(held: str, wanted: str) -> None:
    assert not covers(held, wanted)


def test_one_that_covers_is_enough_and_none_allows_nothing() -> None:
    assert allows(["a.b", "tasks.*"], "tasks.read")
    assert not allows([], "tasks.read")
    assert Identity(principal="user", subject="u", audience="shop", permissions=frozenset({"cart.*"})).has_permission("cart.pay")
