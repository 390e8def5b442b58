"""Buckets in the memory of one process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.limits.counters import MOST, Counter, Counters, Rule
from tests.limits.given import Clock, counted, limits


def let_in(counters: Counters, rule: Rule, key: str, clock: Clock) -> bool:
    return counters.take([counters.met(rule, key)], clock.now) is None


def how_many(counters: Counters, rule: Rule, key: str, clock: Clock, tries: int) -> int:
    return sum(let_in(counters, rule, key, clock) for _ in range(tries))


@pytest.mark.parametrize("amount", [1, 3, 7, 60, 977])
def test_a_full_bucket_lets_in_exactly_its_amount_at_once(amount: int) -> None:
    clock = Clock()
    counters, rule = counted(clock, f"{amount}/1m")
    assert how_many(counters, rule, "ada", clock, amount + 5) == amount


def test_it_fills_again_at_its_own_pace() -> None:
    clock = Clock()
    counters, rule = counted(clock, "6/1m")
    how_many(counters, rule, "ada", clock, 6)
    clock.now += 9.9
    assert not let_in(counters, rule, "ada", clock)
    clock.now += 0.2
    assert how_many(counters, rule, "ada", clock, 5) == 1
    clock.now += 600
    assert how_many(counters, rule, "ada", clock, 9) == 6


def test_who_is_refused_is_told_when_there_is_room_again_and_refusals_cost_nothing() -> None:
    clock = Clock()
    counters, rule = counted(clock, "6/1m")
    how_many(counters, rule, "ada", clock, 106)
    refusal = counters.take([counters.met(rule, "ada")], clock.now)
    assert refusal is not None
    assert refusal.wait == pytest.approx(10)
    clock.now += refusal.wait
    assert let_in(counters, rule, "ada", clock)


def test_every_rate_of_a_rule_holds() -> None:
    clock = Clock()
    counters, rule = counted(clock, "5/1s 8/1m")
    assert how_many(counters, rule, "ada", clock, 9) == 5
    clock.now += 1
    assert how_many(counters, rule, "ada", clock, 9) == 3


def test_what_one_rule_refuses_counts_under_no_other() -> None:
    clock = Clock()
    counters, wide = counted(clock, "9/1m")
    _, narrow = counted(clock, "1/1m")
    both = [counters.met(wide, "network"), counters.met(narrow, "address")]
    for _ in range(5):
        counters.take(both, clock.now)
    assert how_many(counters, wide, "network", clock, 20) == 8


def test_nobody_uses_up_what_another_has() -> None:
    clock = Clock()
    counters, rule = counted(clock, "3/1m")
    how_many(counters, rule, "mallory", clock, 100)
    assert how_many(counters, rule, "ada", clock, 9) == 3


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 12)), max_size=40))
def test_over_any_time_no_more_comes_in_than_a_bucket_and_its_filling(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    counters, rule = counted(clock, "10/1m")
    began, came = clock.now, 0
    for pause, tries in steps:
        clock.now += pause
        came += how_many(counters, rule, "ada", clock, tries)
        assert came <= 10 + (clock.now - began) / 6 + 1e-3


def test_what_is_told_is_what_is_left() -> None:
    clock = Clock()
    counters, rule = counted(clock, "5/1s 8/1m")
    counter = counters.met(rule, "ada")
    assert counter.told(clock.now) == b'"default-address-1";r=5;t=0'
    how_many(counters, rule, "ada", clock, 2)
    assert counter.told(clock.now) == b'"default-address-1";r=3;t=1'
    clock.now += 1
    how_many(counters, rule, "ada", clock, 4)
    assert counter.told(clock.now) == b'"default-address-1";r=1;t=1'
    assert rule.policy() == b'"default-address-1";q=5;w=1, "default-address-60";q=8;w=60'


def test_a_flood_of_keys_takes_no_more_memory_than_there_is_for_keys() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m", most=1_000)
    for n in range(10_000):
        let_in(counters, rule, f"2001:db8:{n:x}::/64", clock)
    assert len(counters) == len(rule.counters) == 1_000


def test_a_flood_of_keys_makes_nobody_forget_who_is_at_the_limit() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m", most=1_000)
    how_many(counters, rule, "mallory", clock, 9)
    for n in range(5_000):
        let_in(counters, rule, f"2001:db8:{n:x}::/64", clock)
    assert not let_in(counters, rule, "mallory", clock)


def test_a_flood_of_one_kind_pushes_out_its_own() -> None:
    clock = Clock()
    counters, flooded = counted(clock, "9/1m", most=1_000)
    quiet = counters.rules(limits(address="5/1m").of(None))[flooded.kind]
    let_in(counters, quiet, "ada", clock)
    for n in range(5_000):
        let_in(counters, flooded, str(n), clock)
    assert "ada" in quiet.counters


def test_what_waits_to_be_told_is_bounded_while_nobody_can_be_told() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m", most=100)
    for n in range(40_000):
        let_in(counters, rule, str(n), clock)
    told = counters.take_pending(10**6)
    assert len(told) <= MOST // 2


def test_those_closest_to_their_limits_are_told_of_first() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m")
    for n in range(20):
        let_in(counters, rule, f"passer-by {n}", clock)
    how_many(counters, rule, "mallory", clock, 9)
    ((first, count),) = counters.take_pending(1)
    assert (first.key, count) == ("mallory", 9)


def test_what_could_not_be_told_is_told_later() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m")
    let_in(counters, rule, "ada", clock)
    counters.put_back(counters.take_pending(10))
    let_in(counters, rule, "ada", clock)
    ((counter, count),) = counters.take_pending(10)
    assert (counter.key, count) == ("ada", 2)


def test_a_store_that_forgot_makes_nobody_here_forget() -> None:
    clock = Clock()
    counters, rule = counted(clock, "9/1m")
    how_many(counters, rule, "ada", clock, 9)
    counter: Counter = counters.met(rule, "ada")
    counters.take_pending(10)
    counter.learn([0.0], clock.now)
    assert not let_in(counters, rule, "ada", clock)


def test_others_are_told_at_once_of_who_uses_up_a_quarter() -> None:
    clock, hurried = Clock(), list[int]()
    counters, rule = counted(clock, "20/1m")
    counters.hurry = lambda: hurried.append(1)
    how_many(counters, rule, "ada", clock, 4)
    assert hurried == []
    how_many(counters, rule, "ada", clock, 1)
    assert hurried == [1]
