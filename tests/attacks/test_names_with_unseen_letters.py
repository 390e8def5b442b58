"""Two addresses that look alike to every reader, and would be two accounts."""

import pytest

from commands.login_names import normalise_email
from domain.errors import InvalidEmail

UNSEEN = {
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "letter mark": "\u061c",
    "choseong filler": "\u115f",
    "jungseong filler": "\u1160",
    "khmer inherent vowel": "\u17b4",
    "mongolian variation": "\u180b",
    "vowel separator": "\u180e",
    "zero width space": "\u200b",
    "joiner": "\u200d",
    "override": "\u202e",
    "invisible times": "\u2062",
    "braille blank": "\u2800",
    "filler": "\u3164",
    "variation selector": "\ufe0f",
    "byte order mark": "\ufeff",
    "halfwidth filler": "\uffa0",
    "tag": "\U000e0061",
    "variation selector 17": "\U000e0100",
    "beamed": "\U0001d173",
}


@pytest.mark.parametrize("letter", UNSEEN.values(), ids=UNSEEN.keys())
def test_what_nobody_sees_is_in_no_address(letter: str) -> None:
    for local in (f"ada{letter}", f"{letter}ada", f"a{letter}da"):
        with pytest.raises(InvalidEmail):
            normalise_email(f"{local}@example.org")


@pytest.mark.parametrize("local", ["ada", "zoë", "王", "अदा", "ada+tag", "ಠ_ಠ", "가나"])
def test_what_people_are_called_is(local: str) -> None:
    assert normalise_email(f"{local}@example.org").endswith("@example.org")
