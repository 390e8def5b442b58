"""Hashes of other systems: made by them, compared by us, and not computed where they ask for too much (threats.md 20)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.hashing import foreign
from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.refusals import KEPT, LATELY_S, MOST_S, RefusalFloor
from commands.ports import Unusable, Verified
from tests.keys.conftest import SettableClock

PASSWORD = "correct horse battery staple ü"
MADE = dict(line.rsplit(" ", 1) for line in Path(__file__).with_name("foreign_hashes.txt").read_text(encoding="utf-8").splitlines())
"""Each by the library it is named after, at the least cost, of PASSWORD."""
RIGHT, WRONG = Verified(True, True), Verified(False, False)
SALT, DIGEST = "NaClNaClNaClNaCl", "qGKdZTxbUEB66eUFrQ5Jrl3zoosqsfSpUS/4eVZgE2o"


@pytest.fixture(scope="module")
async def hasher() -> AsyncIterator[Argon2Hasher]:
    made = Argon2Hasher(memory_kib=1_024, passes=1, threads=2)
    yield made
    made.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("maker", MADE)
async def test_a_hash_made_elsewhere_matches_its_password_only_and_is_to_be_replaced(hasher: Argon2Hasher, maker: str) -> None:
    assert hasher.unusable(MADE[maker]) is None
    assert await hasher.verify(MADE[maker], PASSWORD) == RIGHT
    for wrong in (PASSWORD + "x", PASSWORD.upper(), ""):
        assert await hasher.verify(MADE[maker], wrong) == WRONG


async def test_a_password_typed_in_other_code_points_matches(hasher: Argon2Hasher) -> None:
    decomposed = PASSWORD.replace("ü", "u\u0308")
    assert await hasher.verify(MADE["passlib pbkdf2-sha256"], decomposed) == RIGHT
    assert await hasher.verify(MADE["bcrypt 2b"], decomposed) == RIGHT


@pytest.mark.parametrize(
    ("dearest", "half"),
    [
        (f"$pbkdf2-sha512$2000000${SALT}${DIGEST}", f"$pbkdf2-sha512$1000000${SALT}${DIGEST}"),
        ("$2b$14$" + MADE["bcrypt 2b"][7:], "$2b$13$" + MADE["bcrypt 2b"][7:]),
        (f"$scrypt$ln=16,r=16,p=2${SALT}${DIGEST}", f"$scrypt$ln=16,r=16,p=1${SALT}${DIGEST}"),
    ],
    ids=["pbkdf2", "bcrypt", "scrypt"],
)
def test_no_spelling_of_a_guess_makes_one_look_cost_two(dearest: str, half: str) -> None:
    for encoded, decomposed, looks in ((dearest, True, 1), (half, True, 2), (half, False, 1)):
        read = foreign.read(encoded)
        assert read is not None
        assert len(foreign.spellings(read, "u\u0308" if decomposed else "u")) == looks


async def test_bcrypt_reads_as_far_as_its_makers_did_and_no_nul(hasher: Argon2Hasher) -> None:
    import bcrypt

    encoded = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert await hasher.verify(encoded, "x" * 100) == RIGHT
    assert await hasher.verify(encoded, "x" * 71 + "\0") == WRONG


@pytest.mark.parametrize(
    "encoded",
    [
        "$2b$31$" + MADE["bcrypt 2b"][7:],
        "bcrypt$$2b$15$" + MADE["bcrypt 2b"][7:],
        f"pbkdf2_sha256$1000000000${SALT}${DIGEST}=",
        f"$pbkdf2-sha512$2000001${SALT}${DIGEST}",
        f"pbkdf2:sha1:1500000${SALT}${'ab' * 40}",  # two blocks of SHA-1 double the work
        f"$scrypt$ln=30,r=8,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=99,r=8,p=1${SALT}${DIGEST}",
        f"scrypt$1024${SALT}$8$999999999${DIGEST}=",
        f"scrypt:1024:999999999:1${SALT}${'ab' * 32}",
        f"$argon2i$v=19$m=4194304,t=1,p=1${SALT}${DIGEST}",
        f"argon2$argon2id$v=19$m=1024,t=4000000,p=1${SALT}${DIGEST}",
    ],
)
async def test_threat_20_a_hash_that_asks_for_too_much_is_known_and_not_computed(hasher: Argon2Hasher, encoded: str) -> None:
    assert hasher.unusable(encoded) is Unusable.TOO_COSTLY
    assert await asyncio.wait_for(hasher.verify(encoded, PASSWORD), 5) == WRONG


@pytest.mark.parametrize(
    "encoded", [f"pbkdf2_sha256$1000${SALT}$qg==", f"$scrypt$ln=10,r=8,p=1${SALT}$qGKd", f"$argon2id$v=19$m=64,t=1,p=1${SALT}$qGKdZQ"]
)
async def test_a_digest_so_short_that_any_password_may_match_matches_none(hasher: Argon2Hasher, encoded: str) -> None:
    assert hasher.unusable(encoded) is Unusable.TOO_SHORT
    assert await hasher.verify(encoded, PASSWORD) == WRONG


@pytest.mark.parametrize(
    "encoded",
    [
        "", "plain text", "5f4dcc3b5aa765d61d8327deb882cf99", "$1$salt$hash", "$2b$04$tooshort", "$2x$04$" + MADE["bcrypt 2b"][7:],
        f"pbkdf2_md5$1000${SALT}${DIGEST}", f"pbkdf2_sha256$１０００${SALT}${DIGEST}", f"pbkdf2_sha256$-1${SALT}${DIGEST}",
        f"pbkdf2_sha256$1000${SALT}$a", "$argon2id$" + "x" * 600, f"pbkdf2_sha256$1000${'x' * 600}${DIGEST}",
        f"$scrypt$ln=10,r=8${SALT}${DIGEST}",
    ],
)  # fmt: skip
async def test_what_is_no_hash_we_know_matches_nothing(hasher: Argon2Hasher, encoded: str) -> None:
    assert hasher.unusable(encoded) is Unusable.UNKNOWN
    assert await hasher.verify(encoded, PASSWORD) == WRONG


async def test_every_refusal_of_a_sign_in_is_held_to_the_floor(hasher: Argon2Hasher) -> None:
    """Foreign, ours, nobody's and not computed; what matches, or is no sign-in, is answered at once."""
    asked: list[float] = []

    class Noting(RefusalFloor):
        def left(self, seconds: float) -> float:
            asked.append(seconds)
            return 0.0

    hasher._floor = noting = Noting()
    ours = await hasher.hash(PASSWORD)
    refused = (MADE["bcrypt 2b"], ours, None, "$2b$31$" + MADE["bcrypt 2b"][7:])
    for encoded in refused:
        await hasher.verify(encoded, "wrong", alike=True)
    assert len(asked) == len(refused)
    assert (len(noting._others), len(noting._usual)) == (1, 3)
    await hasher.verify(ours, PASSWORD, alike=True)
    await hasher.verify(ours, "wrong")
    assert len(asked) == len(refused)


def test_refusals_wait_for_the_slowest_hash_of_late_and_only_while_there_are_others() -> None:
    clock = SettableClock()
    floor = RefusalFloor(clock.monotonic)
    floor.note(0.03, usual=True)
    assert floor.left(0.02) == 0.0
    floor.note(0.25, usual=False)
    assert floor.left(0.05) == pytest.approx(0.2)
    assert floor.left(0.3) == 0.0
    clock.pass_by(LATELY_S + 1)
    assert floor.left(0.05) == 0.0


def test_a_cheap_foreign_hash_is_refused_no_sooner_than_nobody() -> None:
    floor = RefusalFloor(SettableClock().monotonic)
    floor.note(0.03, usual=True)
    floor.note(0.001, usual=False)
    assert floor.left(0.001) == pytest.approx(0.029)


def test_a_machine_that_stood_still_does_not_make_everybody_wait_for_ever() -> None:
    floor = RefusalFloor(SettableClock().monotonic)
    floor.note(60.0, usual=False)
    assert floor.left(0.0) == MOST_S
    for _ in range(KEPT):
        floor.note(0.1, usual=False)
    assert floor.left(0.0) == pytest.approx(0.1)
