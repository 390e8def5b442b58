"""The list of breached and common passwords that ships with us, and the filter it is in (security.md, Passwords)."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hashing.hasher import Argon2Hasher
from adapters.listed_passwords.fuse import FuseFilter, NotAFilter, built
from adapters.listed_passwords.make import without_implied
from adapters.password_judge import LIST, OfflineJudge
from domain.password_spellings import spellings

SMALL_MB = 30


@pytest.fixture(scope="module")
def judge() -> OfflineJudge:
    return OfflineJudge(Argon2Hasher())


def filter_of(folder: Path, texts: list[str]) -> FuseFilter:
    file = folder / "made.fuse"
    file.write_bytes(built(texts))
    return FuseFilter(file)


@given(st.sets(st.text(max_size=12), max_size=300))
@settings(max_examples=40)
def test_what_is_in_is_always_found(tmp_path_factory: pytest.TempPathFactory, texts: set[str]) -> None:
    made = filter_of(tmp_path_factory.mktemp("fuse"), sorted(texts))
    assert all(text in made for text in texts)


def test_what_is_not_in_is_hardly_ever_found(tmp_path: Path) -> None:
    made = filter_of(tmp_path, [f"in {n}" for n in range(5_000)])
    assert sum(f"out {n}" in made for n in range(100_000)) < 12  # 1.5 are to be expected


def test_the_same_texts_make_the_same_file(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(1_000)]
    assert built(texts) == built(random.Random(5).sample(texts, len(texts)))


@pytest.mark.parametrize("part", [slice(0, -2), slice(1, None), slice(0, 20), slice(0, 0)], ids=str)
def test_a_file_that_is_not_whole_is_not_used(tmp_path: Path, part: slice) -> None:
    file = tmp_path / "spoilt.fuse"
    file.write_bytes(built(["a", "b"])[part])
    with pytest.raises(NotAFilter):
        FuseFilter(file)


def test_the_list_is_the_one_the_documents_speak_of() -> None:
    digest = hashlib.sha256(LIST.read_bytes()).hexdigest()
    assert digest in Path("docs/explanation/passwords.md").read_text(encoding="utf-8")
    assert FuseFilter(LIST).size < SMALL_MB << 20


def test_what_another_spelling_finds_takes_no_room() -> None:
    assert without_implied(["sunshine", "sunshine1", "$unshine", "sunshinesunshine", "rain"]) == ["rain", "sunshine"]


@given(st.sets(st.text(alphabet="aA1!4@", min_size=6, max_size=10), max_size=40))
def test_leaving_out_loses_nothing(texts: set[str]) -> None:
    kept = set(without_implied(texts))
    assert all(not kept.isdisjoint(spellings(text)) for text in texts if len(spellings(text)) and spellings(text)[0] == text)


@pytest.mark.parametrize(
    "password",
    [
        "Password1234",
        "qwertyuiop12",
        "iloveyouiloveyou",
        "1q2w3e4r5t6y",
        "MANCHESTER1999",
        "passw0rdpassw0rd",
        "administrator1",
        "trustno1trustno1",
    ],
)
def test_acc_10_known_passwords_of_good_length_are_listed(judge: OfflineJudge, password: str) -> None:
    assert judge.is_listed(password)


@pytest.mark.parametrize("password", ["correct horse battery", "Zwölf Boxkämpfer jagen", "x", "", "w" * 1_000])
def test_others_are_not(judge: OfflineJudge, password: str) -> None:
    assert not judge.is_listed(password)
