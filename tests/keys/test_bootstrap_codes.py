"""The code for the first administrator (threats.md 18)."""

import asyncio
import re

import pytest

from adapters.bootstrap_codes import CODE_TTL, TRIES
from adapters.postgres_links import Links
from tests.keys.conftest import CodesUnderTest


async def test_a_code_is_128_bits_for_people_to_type(issued: CodesUnderTest) -> None:
    code = await issued.codes.issue()
    assert re.fullmatch(r"([A-Z2-7]{4}-){6}[A-Z2-7]{2}", code)
    assert await issued.codes.issue() != code


async def test_the_right_code_is_good_until_the_bootstrap_is_appended(issued: CodesUnderTest) -> None:
    code = await issued.codes.issue()
    assert await issued.codes.redeem(code)
    assert await issued.codes.redeem(code)


@pytest.mark.parametrize("written", [{}, {"-": ""}, {"-": " "}, {"O": "0", "I": "1", "B": "8"}])
async def test_how_a_code_is_typed_does_not_matter(issued: CodesUnderTest, written: dict[str, str]) -> None:
    code = await issued.codes.issue()
    assert await issued.codes.redeem(code.lower().translate(str.maketrans(written)))
    assert await issued.codes.redeem(code.translate(str.maketrans(written)))


async def test_threat_18_the_fifth_wrong_try_ends_the_code(issued: CodesUnderTest) -> None:
    code = await issued.codes.issue()
    for _ in range(TRIES):
        assert not await issued.codes.redeem("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AA")
    assert not await issued.codes.redeem(code)


async def test_threat_18_tries_at_once_are_counted_one_by_one(issued: CodesUnderTest) -> None:
    code = await issued.codes.issue()
    answers = await asyncio.gather(*(issued.codes.redeem(code) for _ in range(20)))
    assert sum(answers) == TRIES


async def test_threat_18_a_code_lives_an_hour(issued: CodesUnderTest) -> None:
    code = await issued.codes.issue()
    await issued.pass_by(CODE_TTL)
    assert not await issued.codes.redeem(code)


async def test_a_new_code_replaces_the_old_and_has_tries_of_its_own(issued: CodesUnderTest) -> None:
    old = await issued.codes.issue()
    for _ in range(TRIES):
        await issued.codes.redeem("wrong")
    new = await issued.codes.issue()
    assert not await issued.codes.redeem(old)
    assert await issued.codes.redeem(new)


async def test_without_a_code_nothing_redeems(issued: CodesUnderTest) -> None:
    for typed in ("", "AAAA", "\ud800", "x" * 10_000):
        assert not await issued.codes.redeem(typed)


async def test_threat_18_the_database_holds_a_digest_only(postgres_codes: CodesUnderTest, links: Links) -> None:
    code = await postgres_codes.codes.issue()
    [(digest,)] = await links.read("SELECT digest FROM bootstrap_codes")
    assert len(digest) == 32
    assert code.encode() not in digest
