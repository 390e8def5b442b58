"""Who holds what, segment by segment."""

from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.permission import EVERYTHING, Permission, PermissionText, allows, covering, covers, within

SEGMENTS = st.sampled_from(["a", "b", "*"])
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda s: Permission(".".join(s)))
WORDS = [Permission(".".join(w)) for n in range(1, 7) for w in product("abc", repeat=n)]
"""Every permission of up to six segments over an alphabet with one more letter than the patterns know."""


def matches(pattern: str, word: str) -> bool:
    """The rule, as the page says it and as slowly as may be: what set of plain permissions a pattern stands for."""
    segments, given_segments = pattern.split("."), word.split(".")
    if segments[-1] == "*":
        head = segments[:-1]
        if len(given_segments) <= len(head):
            return False
        given_segments = given_segments[: len(head)]
    else:
        head = segments
    return len(head) == len(given_segments) and all(h in ("*", g) for h, g in zip(head, given_segments, strict=True))


MEANING = {
    pattern: frozenset(w for w in WORDS if matches(pattern, w))
    for pattern in (Permission(".".join(p)) for n in range(1, 5) for p in product("ab*", repeat=n))
}


@given(PATTERNS)
def test_whoever_holds_a_permission_holds_it(pattern: Permission) -> None:
    assert covers(pattern, pattern)


def test_covering_is_transitive() -> None:
    below = {one: [two for two in MEANING if covers(one, two)] for one in MEANING}
    assert all(covers(one, three) for one, twos in below.items() for two in twos for three in below[two])


def test_covering_is_what_brute_force_says() -> None:
    assert [(h, w) for h in MEANING for w in MEANING if covers(h, w) != (MEANING[w] <= MEANING[h])] == []


@given(PATTERNS)
def test_everything_covers_everything(pattern: Permission) -> None:
    assert covers(EVERYTHING, pattern)


@pytest.mark.parametrize(
    ("held", "wanted", "covered"),
    [
        ("tasks.*", "tasks.read", True),
        ("tasks.*", "tasks.read.own", True),
        ("tasks.*", "tasks", False),
        ("tasks.*", "tasksadmin.read", False),
        ("tasks.*", "tasksadmin", False),
        ("tasks.read", "tasks.read.own", False),
        ("tasks.read", "tasks.*", False),
        ("*.read", "tasks.read", True),
        ("*.read", "*", False),
        ("*.read", "tasks.own.read", False),
        ("tasks.*.own", "tasks.read.own", True),
        ("tasks.*.own", "tasks.read.any", False),
    ],
)
def test_wildcards_stop_at_segments(held: str, wanted: str, covered: bool) -> None:
    assert covers(Permission(held), Permission(wanted)) is covered


def test_a_longer_word_with_the_same_beginning_is_another_word() -> None:
    for tail in ("admin", "admin.read", "_", "-x.y"):
        assert not covers(Permission("tasks.*"), Permission(f"tasks{tail}"))


def test_any_one_permission_is_enough_and_every_wanted_one_must_be_held() -> None:
    held = [Permission("a.*"), Permission("b.read")]
    assert allows(held, Permission("b.read"))
    assert not allows([], Permission("b.read"))
    assert within([Permission("a.x"), Permission("b.read")], iter(held))
    assert not within([Permission("a.x"), Permission("b.write")], held)
    assert within([], [])


@pytest.mark.parametrize("text", ["tasks.read\n", "Tasks.read", "tasks..read", ".a", "a.", "", "a.b*", "a b", "é.read", "a." * 8 + "a"])
def test_what_is_no_permission_is_not_read_as_one(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, PermissionText)


@given(st.lists(PATTERNS, max_size=6), st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda s: Permission(".".join(s))))
def test_the_patterns_that_cover_a_permission_are_all_there_are(held: list[Permission], wanted: Permission) -> None:
    covering_it = covering(wanted)
    assert all(covers(pattern, wanted) for pattern in covering_it)
    assert {pattern for pattern in held if covers(pattern, wanted)} <= set(covering_it)


def test_the_longest_permission_is_covered_by_few_patterns() -> None:
    assert len(covering(Permission("a.b.c.d.e.f.g.h"))) == 383
