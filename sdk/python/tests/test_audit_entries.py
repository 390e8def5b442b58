"""Entries read together are read as strictly as one by one."""

import pytest
from bundles import entry

from minos_sdk.audit.entries import BrokenEntry, place_of, places_of

GOOD = entry("user-1", 1)
SPLIT = entry("user-2", 1, list=[{}, {}])
HALF = SPLIT.index(b",{}")
BROKEN = [
    GOOD.replace(b'"v":1', b'"v": 1'),
    GOOD.replace(b'"v":1', b'"v":1,"v":1'),
    GOOD.replace(b'"v":1', b'"v":1.0'),
    GOOD.replace(b'"v":1', b'"v":2'),
    GOOD.replace(b'"version":1', b'"version":-0'),
    GOOD.replace(b'"version":1', b'"version":2147483648'),
    GOOD.replace(b"1795000000000000", b"9007199254740993"),
    GOOD.replace(b"user-1", b"user-\\u0031"),
    GOOD.replace(b'"payload":{', b'"payload":' + b"[" * 60_000 + b"{"),
    GOOD + b"," + GOOD,
    b"[]",
    b"\xff",
]


@pytest.mark.parametrize("at", range(len(BROKEN)))
def test_one_that_is_not_of_the_format_is_told_from_its_neighbours(at: int) -> None:
    among = [*[GOOD] * 20, BROKEN[at], *[GOOD] * 20]
    assert [type(place) is BrokenEntry for place in places_of(among)] == [each is BROKEN[at] for each in among]


def test_attack_two_entries_in_one_and_one_in_two() -> None:
    among = [GOOD, GOOD + b"," + SPLIT[:HALF], SPLIT[HALF + 1 :], GOOD]
    assert [type(place) is BrokenEntry for place in places_of(among)] == [False, True, True, False]


def test_places_are_those_of_one_by_one() -> None:
    among = [entry(f"user-{n}", n + 1, number=n, text='"é\u2028,') for n in range(50)]
    assert list(places_of(among)) == [place_of(each) for each in among]
    assert list(places_of([])) == []
