"""Counting sign-ins before the hash (threats.md 16): one suite for every guard."""

import asyncio
from uuid import uuid4

import pytest

from adapters.guard import KNOWN_NETWORKS, OWN_BUDGET, PostgresGuard
from adapters.postgres_links import Links
from commands.ports import AttemptOutcome, GuardReading, SignInGuard
from domain.sign_in_guard import COUNTER_TTL, DELAY_AFTER, MOST_FAILURES, WAITS
from tests.keys.conftest import GuardUnderTest

ADA = b"mac of ada's name"
DEVICE = b"mac of ada's laptop"


async def attempts(guard: SignInGuard, n: int, *, name: bytes = ADA, device: bytes | None = None) -> GuardReading:
    for _ in range(n - 1):
        await guard.admit(name, device_mac=device)
    return await guard.admit(name, device_mac=device)


async def test_the_first_attempts_may_be_tried(guarded: GuardUnderTest) -> None:
    for n in range(1, DELAY_AFTER):
        reading = await guarded.guard.admit(ADA, device_mac=None)
        assert (reading.failures, reading.may_try, reading.locked_until) == (n, True, None)


async def test_the_attempt_that_begins_a_lock_is_looked_at_and_the_next_is_not(guarded: GuardUnderTest) -> None:
    began = await attempts(guarded.guard, DELAY_AFTER)
    after = await guarded.guard.admit(ADA, device_mac=None)
    assert (began.lock_began, began.may_try) == (True, True)
    assert (after.lock_began, after.may_try) == (False, False)
    assert after.locked_until == began.locked_until


async def test_each_lock_is_longer_until_an_hour(guarded: GuardUnderTest) -> None:
    reading = await attempts(guarded.guard, DELAY_AFTER)
    for expected in (*WAITS, WAITS[-1]):
        assert reading.lock_began
        assert reading.locked_until is not None
        assert round((reading.locked_until - reading.at).total_seconds()) == expected
        await guarded.pass_by(expected)
        reading = await guarded.guard.admit(ADA, device_mac=None)


async def test_poking_at_a_locked_name_neither_counts_nor_prolongs(guarded: GuardUnderTest) -> None:
    began = await attempts(guarded.guard, DELAY_AFTER)
    poked = await attempts(guarded.guard, 50)
    assert (poked.failures, poked.locked_until) == (began.failures, began.locked_until)
    await guarded.pass_by(WAITS[0])
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == DELAY_AFTER + 1


async def test_at_once_as_one_after_another_only_the_allowed_number_gets_through(guarded: GuardUnderTest) -> None:
    readings = await asyncio.gather(*(guarded.guard.admit(ADA, device_mac=None) for _ in range(40)))
    assert sum(r.may_try for r in readings) == DELAY_AFTER
    assert sum(r.lock_began for r in readings) == 1


async def test_never_more_than_a_hundred_failures_in_a_row(guarded: GuardUnderTest) -> None:
    looked_at = 0
    for _ in range(MOST_FAILURES + 20):
        reading = await guarded.guard.admit(ADA, device_mac=None)
        looked_at += reading.may_try
        await guarded.pass_by(WAITS[-1])
    assert looked_at == MOST_FAILURES


async def test_a_completed_sign_in_empties_the_counter(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER)
    await guarded.guard.forgive(ADA, device_mac=None)
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == 1


async def test_a_counter_expires_a_day_after_its_last_failure(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER - 1)
    await guarded.pass_by(COUNTER_TTL)
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == 1


async def test_names_are_counted_apart(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER + 1)
    assert (await guarded.guard.admit(b"mac of bob's name", device_mac=None)).may_try


async def test_threat_16_an_attacker_cannot_shut_out_the_owner_on_a_known_device(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER + 20)
    assert (await guarded.guard.admit(ADA, device_mac=DEVICE)).may_try


async def test_threat_16_a_stolen_device_token_buys_ten_guesses_and_no_more(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER + 1)
    readings = [await guarded.guard.admit(ADA, device_mac=DEVICE) for _ in range(OWN_BUDGET + 5)]
    assert [r.may_try for r in readings] == [True] * OWN_BUDGET + [False] * 5


async def test_a_device_out_of_budget_counts_as_everybody_else(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, OWN_BUDGET, device=DEVICE)
    assert (await guarded.guard.admit(ADA, device_mac=DEVICE)).failures == 1
    await guarded.guard.forgive(ADA, device_mac=DEVICE)
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == 1


async def test_threat_16_the_owner_signing_in_does_not_give_the_attacker_new_guesses(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, DELAY_AFTER - 1)
    await guarded.guard.admit(ADA, device_mac=DEVICE)
    await guarded.guard.forgive(ADA, device_mac=DEVICE)
    assert (await guarded.guard.admit(ADA, device_mac=None)).lock_began


async def test_a_seeded_name_starts_at_the_delay_threshold(guarded: GuardUnderTest) -> None:
    await guarded.guard.admit(ADA, device_mac=None)
    await guarded.guard.seed(ADA, DELAY_AFTER)
    reading = await guarded.guard.admit(ADA, device_mac=None)
    assert (reading.failures, reading.lock_began) == (DELAY_AFTER + 1, True)


async def test_seeding_never_takes_failures_away(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, 4)
    await guarded.guard.seed(ADA, 2)
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == 5


async def test_readings_say_since_when_they_count(guarded: GuardUnderTest) -> None:
    first = await guarded.guard.admit(ADA, device_mac=None)
    second = await guarded.guard.admit(b"another", device_mac=DEVICE)
    assert first.counting_since is not None
    assert second.counting_since == first.counting_since <= first.at


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
async def test_every_refusal_is_kept_as_a_row_outside_the_log(
    postgres_guard: GuardUnderTest, links: Links, outcome: AttemptOutcome
) -> None:
    user_id = uuid4()
    await postgres_guard.guard.refused(ADA, user_id=user_id, outcome=outcome, known_device=True)
    [row] = await links.read("SELECT name_mac, user_id, outcome, known_device FROM sign_in_attempts")
    assert tuple(row) == (ADA, user_id, outcome, True)


async def test_an_attempt_taken_back_was_never_made(guarded: GuardUnderTest) -> None:
    before = await attempts(guarded.guard, DELAY_AFTER - 1)
    for _ in range(3):
        began = await guarded.guard.admit(ADA, device_mac=None)
        assert began.lock_began
        await guarded.guard.take_back(ADA, reading=began)
    again = await guarded.guard.admit(ADA, device_mac=None)
    assert (again.failures, again.lock_began) == (before.failures + 1, True)


async def test_what_counts_nothing_any_more_is_over(postgres_guard: GuardUnderTest, links: Links) -> None:
    """A flood under names that nobody has would leave a row of each for a day."""
    reading = await postgres_guard.guard.admit(ADA, device_mac=None)
    await postgres_guard.guard.take_back(ADA, reading=reading)
    [(over,)] = await links.read("SELECT expires_at <= clock_timestamp() FROM sign_in_guard")
    assert over


async def test_what_is_taken_back_of_a_device_is_its_own(guarded: GuardUnderTest) -> None:
    everybody = await attempts(guarded.guard, 2)
    for _ in range(3 * OWN_BUDGET):
        reading = await guarded.guard.admit(ADA, device_mac=DEVICE)
        assert (reading.own, reading.failures) == (DEVICE, 1)
        await guarded.guard.take_back(ADA, reading=reading)
    assert (await guarded.guard.admit(ADA, device_mac=None)).failures == everybody.failures + 1


async def test_a_spent_device_takes_back_what_counted_for_everybody(guarded: GuardUnderTest) -> None:
    await attempts(guarded.guard, OWN_BUDGET, device=DEVICE)
    for _ in range(3 * DELAY_AFTER):
        reading = await guarded.guard.admit(ADA, device_mac=DEVICE)
        assert (reading.own, reading.failures) == (None, 1)
        await guarded.guard.take_back(ADA, reading=reading)
    assert (await guarded.guard.admit(ADA, device_mac=DEVICE)).own is None


async def test_taking_back_lifts_no_lock_that_another_began(guarded: GuardUnderTest) -> None:
    first = await attempts(guarded.guard, DELAY_AFTER - 1)
    assert (await guarded.guard.admit(ADA, device_mac=None)).lock_began
    await guarded.guard.take_back(ADA, reading=first)
    assert not (await guarded.guard.admit(ADA, device_mac=None)).may_try


async def test_what_completed_sign_ins_looked_like_is_known_at_the_next(guarded: GuardUnderTest) -> None:
    facts = (b"mac of a network", b"mac of a user agent")
    first = await guarded.guard.admit(ADA, device_mac=None, facts=facts)
    assert first.known_facts is None
    await guarded.guard.forgive(ADA, device_mac=None, facts=facts)
    second = await guarded.guard.admit(ADA, device_mac=None, facts=(facts[0], b"another"))
    assert (second.known_facts, second.facts_are_fresh) == ({facts[0]}, False)
    third = await guarded.guard.admit(ADA, device_mac=DEVICE, facts=facts)
    assert third.known_facts == set(facts)
    assert (await guarded.guard.admit(ADA, device_mac=None, facts=(b"another",))).known_facts == set()


async def test_what_a_sign_in_looked_like_is_known_of_its_name_alone(guarded: GuardUnderTest) -> None:
    await guarded.guard.forgive(ADA, device_mac=None, facts=(b"mac of a network",))
    assert (await guarded.guard.admit(b"mac of bob's name", device_mac=None, facts=(b"mac of a network",))).known_facts is None


async def test_what_was_remembered_today_is_not_written_again(links: Links) -> None:
    guard = PostgresGuard(links)
    for fresh in (False, True):
        reading = await guard.admit(ADA, device_mac=None, facts=(b"mac of a network",))
        assert reading.facts_are_fresh is fresh
        await guard.forgive(ADA, device_mac=None, facts=(b"mac of a network",))
    await links.run("UPDATE sign_in_facts SET seen_at = seen_at - interval '1 day'")
    assert not (await guard.admit(ADA, device_mac=None, facts=(b"mac of a network",))).facts_are_fresh


HOME = b"mac of ada's network"


async def locked_by_strangers(guard: SignInGuard) -> None:
    reading = await attempts(guard, DELAY_AFTER + 1)
    assert not reading.may_try


async def test_rate_07_a_network_the_name_signed_in_from_has_a_budget_of_its_own(guarded: GuardUnderTest) -> None:
    await guarded.guard.forgive(ADA, device_mac=None, network_mac=HOME)
    await locked_by_strangers(guarded.guard)
    for n in range(1, OWN_BUDGET + 1):
        reading = await guarded.guard.admit(ADA, device_mac=None, network_mac=HOME)
        assert (reading.may_try, reading.own, reading.failures) == (True, HOME, n)
    assert not (await guarded.guard.admit(ADA, device_mac=None, network_mac=HOME)).may_try


async def test_rate_07_another_network_and_another_name_have_none_of_it(guarded: GuardUnderTest) -> None:
    await guarded.guard.forgive(ADA, device_mac=None, network_mac=HOME)
    await locked_by_strangers(guarded.guard)
    assert not (await guarded.guard.admit(ADA, device_mac=None, network_mac=b"mac of another network")).may_try
    assert (await guarded.guard.admit(b"mac of grace's name", device_mac=None, network_mac=HOME)).own is None


async def test_rate_07_getting_in_from_there_clears_its_own_tries_and_nobody_elses(guarded: GuardUnderTest) -> None:
    await guarded.guard.forgive(ADA, device_mac=None, network_mac=HOME)
    await locked_by_strangers(guarded.guard)
    for _ in range(3):
        await guarded.guard.admit(ADA, device_mac=None, network_mac=HOME)
    await guarded.guard.forgive(ADA, device_mac=None, network_mac=HOME)
    assert (await guarded.guard.admit(ADA, device_mac=None, network_mac=HOME)).failures == 1
    assert not (await guarded.guard.admit(ADA, device_mac=None)).may_try


async def test_rate_07_a_known_device_comes_before_a_known_network(guarded: GuardUnderTest) -> None:
    await guarded.guard.forgive(ADA, device_mac=None, network_mac=HOME)
    assert (await guarded.guard.admit(ADA, device_mac=DEVICE, network_mac=HOME)).own == DEVICE


async def test_rate_07_only_the_last_networks_of_a_name_are_known(guarded: GuardUnderTest) -> None:
    networks = [b"network %d" % n for n in range(KNOWN_NETWORKS + 2)]
    for network in networks:
        await guarded.guard.forgive(ADA, device_mac=None, network_mac=network)
    known = [(await guarded.guard.admit(ADA, device_mac=None, network_mac=network)).own is not None for network in networks]
    assert known == [False, False] + [True] * KNOWN_NETWORKS
