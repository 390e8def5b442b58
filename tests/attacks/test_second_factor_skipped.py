"""A second factor that one way in does not ask for, or that can be guessed, replayed or carried over, is none."""

import ast
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.hashing.hasher import Argon2Hasher
from commands.issue_token import IssueToken, issue_token
from commands.ports import Commit
from commands.sign_in_challenge import Factor
from domain.errors import FactorPaused, InvalidChallenge, InvalidFactor, StrongerFactorRequired
from domain.factor_guard import PAUSE_AFTER
from domain.session_events import SessionStarted, TokenIssued
from tests.commands.authenticator import Telephone, challenged, complete, enrolled
from tests.commands.world import ANYBODY, World, make_world

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hasher = Argon2Hasher(memory_kib=8, passes=1, threads=1)
    yield await make_world(hasher)
    hasher.close()


async def person(world: World, name: str = "ada") -> Telephone:
    return await enrolled(await world.enter(name), world)


def calls(name: str) -> set[str]:
    """Name the modules that call a function, whichever module they know it by."""
    found: set[str] = set()
    for folder in ("commands", "api", "cli", "workers", "projections", "domain"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and f".{ast.unparse(node.func)}".endswith(f".{name}"):
                    found.add(f"{folder}.{file.stem}")
    return found


def test_second_factor_skipped_by_another_way_in() -> None:
    """Every session begins in one function, and whoever calls it is listed here with what it has looked at before."""
    assert calls("SessionStarted") == {"domain.session"}
    assert calls("session.start") == {"commands.start_session"}
    assert calls("start_session") == {
        "commands.sign_in",  # only where no factor is enrolled, nor demanded
        "commands.complete_sign_in",  # a password and a factor
        "commands.enrol_at_sign_in",  # a password, and a factor that was demanded
    }


async def test_factor_enrolled_while_a_password_is_looked_at(world: World) -> None:
    """Looking at a password takes a while: what was no factor's account then is one's by the time the session would begin."""
    ctx = await world.enter("ada")
    began = len(world.happened(SessionStarted))

    async def enrol(_commit: Commit) -> None:
        await enrolled(ctx, world)

    world.store.overtake = enrol
    with pytest.raises(StrongerFactorRequired):
        await world.sign_in("ada")
    assert len(world.happened(SessionStarted)) == began


async def test_code_used_twice_in_parallel(world: World) -> None:
    telephone = await person(world)
    began = len(world.happened(SessionStarted))
    challenges = [await challenged(world) for _ in range(16)]
    code = telephone.next_code()
    answers = await asyncio.gather(*(complete(world, challenge, code) for challenge in challenges), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert len(world.happened(SessionStarted)) - began == 1


async def test_code_used_twice_one_after_another(world: World) -> None:
    telephone = await person(world)
    code = telephone.next_code()
    await complete(world, await challenged(world), code)
    world.clock.forward(20)
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world), code)


async def test_code_that_enrolled_the_factor_used_to_sign_in(world: World) -> None:
    telephone = await person(world)
    with pytest.raises(InvalidFactor):
        await complete(world, await challenged(world), telephone.code())


async def test_recovery_code_used_twice_in_parallel(world: World) -> None:
    telephone = await person(world)
    challenges = [await challenged(world) for _ in range(16)]
    code = telephone.recovery_codes[0]
    tries = (complete(world, challenge, code, Factor.RECOVERY_CODE) for challenge in challenges)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1


async def test_challenge_used_twice(world: World) -> None:
    telephone = await person(world)
    challenge = await challenged(world)
    await complete(world, challenge, telephone.next_code())
    issued = len(world.happened(TokenIssued))
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, telephone.next_code())
    assert len(world.happened(TokenIssued)) == issued


async def test_challenge_used_twice_in_parallel(world: World) -> None:
    telephone = await person(world)
    challenge, began = await challenged(world), len(world.happened(SessionStarted))
    codes = [telephone.next_code(), *telephone.recovery_codes[:5]]
    kinds = [Factor.TOTP, *[Factor.RECOVERY_CODE] * 5]
    tries = (complete(world, challenge, code, kind) for code, kind in zip(codes, kinds, strict=True))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidChallenge"] * 5 + ["SignedIn"]
    assert len(world.happened(SessionStarted)) - began == 1


async def test_challenge_of_another_user(world: World) -> None:
    """Mallory's own code and codes complete nothing that Ada's password began."""
    await person(world)
    mallory = await person(world, "mallory")
    challenge = await challenged(world)
    with pytest.raises(InvalidFactor):
        await complete(world, challenge, mallory.next_code())
    with pytest.raises(InvalidFactor):
        await complete(world, challenge, mallory.recovery_codes[0], Factor.RECOVERY_CODE)


async def test_challenge_altered(world: World) -> None:
    telephone = await person(world)
    challenge = await challenged(world)
    for place in range(4, len(challenge), 17):
        other = "A" if challenge[place] != "A" else "B"
        with pytest.raises(InvalidChallenge):
            await complete(world, challenge[:place] + other + challenge[place + 1 :], telephone.code())


async def test_factor_guessing_over_many_challenges(world: World) -> None:
    """A new challenge for each guess buys no more guesses, nor do guesses at once."""
    telephone = await person(world)
    challenges = [await challenged(world) for _ in range(40)]
    tries = (complete(world, challenge, telephone.wrong_code()) for challenge in challenges)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, InvalidFactor) for answer in answers) == PAUSE_AFTER
    assert sum(isinstance(answer, FactorPaused) for answer in answers) == 40 - PAUSE_AFTER
    with pytest.raises(FactorPaused):
        await complete(world, await challenged(world), telephone.next_code())


async def test_challenge_shown_as_a_refresh_token_or_a_refresh_token_as_a_challenge(world: World) -> None:
    telephone = await person(world)
    challenge = await challenged(world)
    with pytest.raises(Exception, match="refresh token is not valid"):
        await issue_token(IssueToken(refresh_token=challenge[:512]), ANYBODY, world.ports)
    signed_in = await complete(world, challenge, telephone.next_code())
    for token in (signed_in.refresh_token, signed_in.access_token, signed_in.device_token or ""):
        with pytest.raises(InvalidChallenge):
            await complete(world, token, telephone.code())
