"""Every letter can be written in every language, and says nothing that somebody chose."""

import re

import pytest

from commands.ports.mail import Letter
from workers.mailer.composing import COMPOSERS
from workers.mailer.wording import FOLDER, LANGUAGES, write

VALUES = {
    "service": "<b>Minos</b>",
    "until": "2026-12-25 12:00 UTC",
    "code": "123456",
    "key": "01a215a0-90e5-7ef1-847c-13b6a86583e2",
    "when": "2026-11-25 12:00 UTC",
    "link": "https://minos.example/account/verify#token=a&b",
}
KNOWN = {"code", "key", "service", "until", "when", "link"}


def names(language: str, letter: Letter) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", (FOLDER / language / f"{letter}.txt").read_text()))


@pytest.mark.parametrize("letter", Letter)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_is_whole_in_every_language(language: str, letter: Letter) -> None:
    worded = write(language, letter, VALUES)
    assert worded.subject
    assert "{" not in worded.subject + worded.text + worded.html
    assert names(language, letter) == names("en", letter)
    assert names(language, letter) <= KNOWN


@pytest.mark.parametrize("letter", Letter)
def test_what_is_put_into_html_is_escaped(letter: Letter) -> None:
    html = write("en", letter, VALUES).html
    assert "<b>Minos" not in html
    assert "&lt;b&gt;Minos" in html
    assert not re.search(r"<(script|img|style|form)", html)
    assert 'href="' not in html or 'href="https://minos.example/account/verify#token=a&amp;b"' in html


def test_every_letter_has_somebody_who_writes_it() -> None:
    assert COMPOSERS.keys() == set(Letter)


def test_no_letter_is_left_of_an_earlier_release() -> None:
    for language in LANGUAGES:
        assert {path.stem for path in (FOLDER / language).iterdir()} == set(Letter)
