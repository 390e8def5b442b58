"""Which passwords may be chosen."""

import pytest

from domain.errors import PasswordUnacceptable
from domain.password import LONGEST, check_choice, check_strength, check_unknown, context_words

CONTEXT = context_words("ada.lovelace@example.org", "countess", "Ada Lovelace")


@pytest.mark.parametrize("password", ["correct horse battery", "ångström-zwölf-φως", "            spaces only? no", "x9!?" * 200])
def test_a_long_password_of_any_characters_is_accepted(password: str) -> None:
    check_choice(password, min_length=12, context=CONTEXT)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "a" * 64,
        "abababababab",
        "my lovelace password",
        "COUNTESS of numbers",
        "I read example papers",
        "x9!?" * (LONGEST // 4) + "y",
    ],
)
def test_a_guessable_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnacceptable):
        check_choice(password, min_length=12, context=CONTEXT)


def test_one_character_that_unfolds_into_many_is_no_long_password() -> None:
    with pytest.raises(PasswordUnacceptable):
        check_choice("\ufdfa", min_length=12, context=())


def test_own_names_are_found_however_they_are_spelled() -> None:
    wide = "\uff4c\uff4f\uff56\uff45\uff4c\uff41\uff43\uff45"  # full-width "lovelace"
    for context, password in ((CONTEXT, f"my {wide} password"), (context_words(wide), "my lovelace password")):
        with pytest.raises(PasswordUnacceptable):
            check_choice(password, min_length=12, context=context)


def test_a_refusal_says_what_to_do_and_never_the_password() -> None:
    with pytest.raises(PasswordUnacceptable) as refused:
        check_choice("hunter2", min_length=12, context=CONTEXT)
    assert "hunter2" not in str(refused.value)
    assert "12" in str(refused.value)


def test_short_words_of_a_name_are_no_obstacle() -> None:
    check_choice("li is not in the way", min_length=12, context=context_words("li@ab.cn", None, "Li"))


@pytest.mark.parametrize("password", ["my l0v3l4ce password", "my ecalevol password", "AdaLovelace forever", "ada_lovelace, forever"])
def test_own_names_are_found_in_disguise(password: str) -> None:
    with pytest.raises(PasswordUnacceptable):
        check_choice(password, min_length=12, context=CONTEXT)


def test_names_are_taken_apart_wherever_words_meet() -> None:
    words = context_words("ada-k.lovelace+minos@example.org")
    assert {"ada", "lovelace", "minos", "example", "adaklovelaceminos"} <= set(words)


def test_a_known_password_is_refused() -> None:
    check_unknown(listed=False)
    with pytest.raises(PasswordUnacceptable, match="list"):
        check_unknown(listed=True)


def test_a_password_that_is_soon_guessed_is_refused_with_advice() -> None:
    check_strength(3, min_score=3, advice=["unheard"])
    with pytest.raises(PasswordUnacceptable, match=r"guess\. Add a word\."):
        check_strength(2, min_score=3, advice=["Add a word."])
