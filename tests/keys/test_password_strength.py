"""How hard a password is to guess: estimated in the hashing process, at a bounded cost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.strength import CONSIDERED
from commands.ports import Strength
from domain.errors import Overloaded


@pytest.fixture(scope="module")
async def hasher() -> AsyncIterator[Argon2Hasher]:
    made = Argon2Hasher(memory_kib=1_024, passes=1, threads=1)
    yield made
    made.close()
    await asyncio.sleep(0)


async def test_a_phrase_is_strong_and_a_pattern_is_not(hasher: Argon2Hasher) -> None:
    phrase, pattern = await hasher.strength("correct horse battery"), await hasher.strength("abcabcabcabc")
    assert (phrase.score, phrase.warning) == (4, None)
    assert pattern.score < 3
    assert pattern.warning is not None
    assert pattern.warning.code.startswith("repeats_like")
    assert all(each.text.endswith(".") for each in pattern.suggestions)


async def test_words_of_ones_own_are_worth_little(hasher: Argon2Hasher) -> None:
    password = "lovelacelovelace99"
    anybodys, ones_own = await hasher.strength(password), await hasher.strength(password, context=["Lovelace"])
    assert ones_own.guesses_log10 < anybodys.guesses_log10


async def test_what_is_beyond_the_part_looked_at_changes_nothing(hasher: Argon2Hasher) -> None:
    start = "abc123" * (CONSIDERED // 6 + 1)
    assert await hasher.strength(start) == await hasher.strength(start + "x9!?" * 200)


@pytest.mark.parametrize("password", ["\ud800" * 12, "\x00" * 12, "\n\n", "ﷺ" * 1_000, "🜁" * 500])
async def test_any_text_has_a_strength(hasher: Argon2Hasher, password: str) -> None:
    assert isinstance(await hasher.strength(password, context=["\ud800", "a\nb", "\x00"]), Strength)


async def test_estimates_wait_in_the_queue_of_hashes() -> None:
    hasher = Argon2Hasher(memory_kib=1_024, passes=1, threads=1, queue_limit=4)
    outcomes = await asyncio.gather(*(hasher.strength("x" * 12) for _ in range(12)), return_exceptions=True)
    hasher.close()
    await asyncio.sleep(0)
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) >= 6
