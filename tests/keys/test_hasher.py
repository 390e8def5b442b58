"""Passwords: compared whole, in NFKC, at the same cost whoever is asked for (security.md, Passwords)."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import argon2
import pytest
from argon2.low_level import Type

from adapters.hashing.argon2id import MOST_LANES, MOST_MEMORY_KIB, MOST_PASSES
from adapters.hashing.hasher import Argon2Hasher
from commands.ports import Verified
from domain.errors import Overloaded

PASSWORD = "correct horse battery staple"
WRONG = Verified(False, False)


@pytest.fixture(scope="module")
def hasher() -> Iterator[Argon2Hasher]:
    made = Argon2Hasher(memory_kib=1_024, passes=1, threads=2)
    yield made
    made.close()


async def test_the_right_password_matches_and_the_wrong_one_does_not(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash(PASSWORD)
    assert await hasher.verify(encoded, PASSWORD) == Verified(True, False)
    assert await hasher.verify(encoded, PASSWORD + "x") == WRONG


async def test_the_default_cost_is_the_one_we_hold_ourselves_to() -> None:
    hasher = Argon2Hasher()
    asked = argon2.extract_parameters(await hasher.hash(PASSWORD))
    hasher.close()
    assert (asked.type, asked.memory_cost, asked.time_cost, asked.parallelism) == (Type.ID, 19_456, 2, 1)


async def test_two_hashes_of_one_password_differ(hasher: Argon2Hasher) -> None:
    assert await hasher.hash(PASSWORD) != await hasher.hash(PASSWORD)


async def test_a_password_typed_on_another_keyboard_is_the_same_password(hasher: Argon2Hasher) -> None:
    composed, decomposed = "pässwörd-ﬁne-½", "pa\u0308sswo\u0308rd-fine-1\u20442"
    assert (await hasher.verify(await hasher.hash(composed), decomposed)).matches


async def test_no_password_is_cut_off(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash("x" * 1_000 + "a")
    assert not (await hasher.verify(encoded, "x" * 1_000 + "b")).matches


async def test_a_lone_surrogate_is_a_password_like_any_other(hasher: Argon2Hasher) -> None:
    assert (await hasher.verify(await hasher.hash("\ud800" * 12), "\ud800" * 12)).matches


async def test_a_hash_of_weaker_parameters_is_outdated_once_it_matches(hasher: Argon2Hasher) -> None:
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=512, parallelism=1).hash(PASSWORD)
    assert await hasher.verify(weaker, PASSWORD) == Verified(True, True)
    assert await hasher.verify(weaker, "wrong") == WRONG


@pytest.mark.parametrize(
    "parameters",
    [f"m={MOST_MEMORY_KIB + 1},t=1,p=1", f"m=1024,t={MOST_PASSES + 1},p=1", f"m=1024,t=1,p={MOST_LANES + 1}", "m=4294967295,t=99999,p=1"],
)
async def test_threat_20_an_imported_hash_that_asks_for_too_much_is_not_computed(hasher: Argon2Hasher, parameters: str) -> None:
    encoded = f"$argon2id$v=19${parameters}$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b1dWRWJTmaaJObG"
    assert await asyncio.wait_for(hasher.verify(encoded, PASSWORD), 2) == WRONG


@pytest.mark.parametrize("encoded", ["", "plain", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=1024,t=1,p=1$bad$bad"])
async def test_what_is_no_hash_of_ours_matches_nothing(hasher: Argon2Hasher, encoded: str) -> None:
    assert await hasher.verify(encoded, PASSWORD) == WRONG


async def test_acc_21_an_unknown_name_costs_what_a_known_one_does() -> None:
    """In processor time of the process that hashes, in turns: whoever else is busy is so in both."""
    hasher = Argon2Hasher(threads=1)
    encoded = await hasher.hash(PASSWORD)

    async def took(stored: str | None) -> int:
        before = nanoseconds_of(hasher.pid)
        assert await hasher.verify(stored, "not the password") == WRONG
        return nanoseconds_of(hasher.pid) - before

    pairs = [(await took(encoded), await took(None)) for _ in range(15)]
    hasher.close()
    known, unknown = (sum(each) for each in zip(*pairs, strict=True))
    assert 0.7 < unknown / known < 1.4


def nanoseconds_of(pid: int | None) -> int:
    """Give the processor time that a process's threads have had (Linux, sched-stats)."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat"))


async def test_a_flood_is_refused_early_and_not_queued_without_end() -> None:
    hasher = Argon2Hasher(memory_kib=1_024, passes=1, threads=1, queue_limit=6)
    answers = await asyncio.gather(*(hasher.verify(None, str(n)) for n in range(40)), return_exceptions=True)
    hasher.close()
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 40 - 1 - 4
    assert sum(answer == WRONG for answer in answers) == 5


async def test_a_caller_who_goes_away_frees_the_thread_only_when_the_hash_is_done() -> None:
    hasher = Argon2Hasher(threads=1, queue_limit=6)
    gone = asyncio.create_task(hasher.verify(None, "x"))
    await asyncio.sleep(0.001)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await asyncio.wait_for(hasher.verify(None, "y"), 60) == WRONG
    hasher.close()


async def test_the_event_loop_stays_free_during_a_flood() -> None:
    hasher = Argon2Hasher(queue_limit=64)
    flood = asyncio.gather(*(hasher.verify(None, str(n)) for n in range(30)), return_exceptions=True)
    waits: list[float] = []
    while not flood.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append(time.perf_counter() - began)
    hasher.close()
    assert median(waits) < 0.01
