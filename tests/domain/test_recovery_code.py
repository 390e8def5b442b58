"""Codes on paper."""

from hypothesis import given
from hypothesis import strategies as st

from domain.recovery_code import BYTES, normalise, written

CHANCE = st.binary(min_size=BYTES, max_size=BYTES)


@given(CHANCE)
def test_a_code_is_three_groups_of_four_of_letters_hard_to_misread(chance: bytes) -> None:
    code = written(chance)
    assert [len(group) for group in code.split("-")] == [4, 4, 4]
    assert not set(code) & set("ilou")


@given(CHANCE, CHANCE)
def test_other_chance_is_another_code(one: bytes, other: bytes) -> None:
    lowest_60 = 2**60 - 1
    alike = int.from_bytes(one, "big") & lowest_60 == int.from_bytes(other, "big") & lowest_60
    assert (written(one) == written(other)) == alike


def test_a_code_is_read_as_it_was_meant() -> None:
    assert normalise(" O1iL-abcd ") == normalise("0111abcd") == "0111abcd"
