"""In which forms a password is looked for among the common ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.password_spellings import LONGEST, SHORTEST, folded, spellings


@pytest.mark.parametrize(
    "password",
    [
        "sunshine",
        "SunShine",
        "\uff53\uff55\uff4e\uff53\uff48\uff49\uff4e\uff45",  # full-width
        "sunshine2024",
        "!!sunshine!1",
        "$un5h1ne",
        "Sunsh1ne!",
        "sunshinesunshine",
        "SUNSHINEsunshine12",
    ],
)
def test_a_word_is_found_however_it_is_dressed(password: str) -> None:
    assert "sunshine" in spellings(password)


def test_marks_around_a_password_with_digits_are_seen_through() -> None:
    assert "1q2w3e4r5t6y" in spellings("!!1Q2W3E4R5T6Y?")


@pytest.mark.parametrize("password", ["sunshine in the rain", "sunshine83562", "1234sunshine5"])
def test_what_is_more_than_dress_is_left_to_the_estimate(password: str) -> None:
    assert "sunshine" not in spellings(password)


@given(st.text(max_size=200))
def test_folding_twice_folds_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(max_size=80))
def test_nothing_is_looked_for_that_could_not_be_listed(text: str) -> None:
    first, *others = spellings(text) or (folded(text),)
    assert first == folded(text)
    assert all(SHORTEST <= len(other) <= LONGEST for other in others)
    assert len(spellings(text)) <= 8
