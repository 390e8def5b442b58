"""Several processes with one set of limits: what they tell one another, how far they can be off, and what happens alone."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg
import pytest

from adapters.limits.counters import Counter, Counters, Rule
from adapters.limits.exchanger import Exchanger
from adapters.limits.totals import PostgresTotals
from adapters.postgres_links import Links
from adapters.secrets_store import Secrets, random_secrets
from domain.errors import StoreUnavailable
from tests.conftest import Database
from tests.limits.given import counted

STANDING = 1_000.0


@dataclass(slots=True)
class Process:
    """One API process as far as limits go, on a clock that stands: whatever it lets in, it lets in at once."""

    counters: Counters
    rule: Rule
    exchanger: Exchanger

    def let_in(self, tries: int, key: str = "mallory") -> int:
        return sum(self.counters.take([self.counters.met(self.rule, key)], STANDING) is None for _ in range(tries))

    def used(self, key: str = "mallory") -> float:
        """How many requests it believes were let in."""
        return self.counters.met(self.rule, key).used(STANDING) * self.rule.rates[0].amount


class Away:
    async def exchange(self, told: Sequence[tuple[Counter, int]]) -> Sequence[Sequence[float]]:
        raise StoreUnavailable


@pytest.fixture
async def links(database: Database) -> AsyncIterator[Links]:
    links = Links(database.app_url, size=2)
    yield links
    await links.close()


def process(links: Links, secrets: Secrets, rates: str = "100/1h") -> Process:
    counters, rule = counted(lambda: STANDING, rates)
    return Process(counters, rule, Exchanger(counters, PostgresTotals(links, secrets)))


def processes(links: Links, n: int, rates: str = "100/1h") -> list[Process]:
    secrets = random_secrets()
    return [process(links, secrets, rates) for _ in range(n)]


async def test_what_one_process_lets_in_the_next_one_counts(links: Links) -> None:
    one, other = processes(links, 2)
    one.let_in(60)
    await one.exchanger.step()
    other.let_in(1)
    await other.exchanger.step()
    assert other.used() == pytest.approx(61, abs=0.5)
    assert other.let_in(100) == 39


async def test_a_process_that_starts_again_does_not_begin_with_full_buckets(links: Links) -> None:
    secrets = random_secrets()
    before = process(links, secrets)
    before.let_in(100)
    await before.exchanger.step()
    after = process(links, secrets)
    assert after.let_in(1) == 1
    await after.exchanger.step()
    assert after.let_in(10) == 0


@pytest.mark.parametrize("n", [2, 4, 8])
async def test_a_burst_at_all_processes_at_once_gets_a_bucket_from_each_and_pays_for_it(links: Links, n: int) -> None:
    """The bound: between two exchanges each process goes by itself, so N of them let in N buckets; then everybody waits it out."""
    all_of_them = processes(links, n)
    assert sum(each.let_in(500) for each in all_of_them) == 100 * n
    for _ in range(2):  # those who told first learn of the rest with what they tell next
        for each in all_of_them:
            await each.exchanger.step()
            each.counters.count(each.counters.met(each.rule, "mallory"), STANDING)
    for each in all_of_them:
        await each.exchanger.step()
        assert each.used() >= 100 * n
        refusal = each.counters.take([each.counters.met(each.rule, "mallory")], STANDING)
        assert refusal is not None
        assert refusal.wait >= (100 * n - 100) * each.rule.rates[0].interval - 2


async def test_a_burst_that_takes_longer_than_an_exchange_gets_little_more_than_one_bucket(links: Links) -> None:
    """Eight processes, tried in turns with an exchange after every quarter of a bucket, as `hurry` asks for."""
    all_of_them = processes(links, 8)
    came = 0
    for _ in range(10):
        for each in all_of_them:
            came += each.let_in(25)
            await each.exchanger.step()
    assert came <= 100 + 8 * 25


async def test_while_the_store_is_away_each_process_goes_on_alone(links: Links) -> None:
    (one,) = processes(links, 1)
    totals, one.exchanger._totals = one.exchanger._totals, Away()
    assert one.let_in(60) == 60
    await one.exchanger.step()
    assert (one.exchanger.shared, one.let_in(60)) == (False, 40)
    one.exchanger._totals = totals
    await one.exchanger.step()
    assert one.exchanger.shared
    other = Process(*counted(lambda: STANDING, "100/1h"), one.exchanger)
    other.exchanger = Exchanger(other.counters, totals)
    other.let_in(1)
    await other.exchanger.step()
    assert other.let_in(5) == 0


async def test_the_table_tells_nobody_who_asked(links: Links, database: Database) -> None:
    (one,) = processes(links, 1)
    one.let_in(3, "198.51.100.7")
    await one.exchanger.step()
    connection = await asyncpg.connect(database.app_url)
    (row,) = await connection.fetch("SELECT * FROM rate_limits")
    await connection.close()
    assert len(row["key"]) == 16
    assert b"198" not in row["key"]


async def test_two_that_tell_of_the_same_many_keys_do_not_stop_each_other(links: Links) -> None:
    one, other = processes(links, 2)
    for n in range(400):
        one.let_in(1, str(n))
        other.let_in(1, str(400 - n))
    for each in (one, other):
        await each.exchanger.step()
        assert each.exchanger.shared
