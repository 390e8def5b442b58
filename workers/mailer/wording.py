"""What letters say, per language: `wording/<language>/<letter>.txt`, the subject first, then paragraphs.

The HTML is made from the same text, so a translation is one file and the two can never say different things. What is
put in is escaped, and no letter repeats a text that somebody chose: nobody can write to another through us.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from domain.locale import Locale

FOLDER = Path(__file__).parent / "wording"
LANGUAGES = tuple(Locale)
DEFAULT = Locale.EN
_LINK = "{link}"


@dataclass(frozen=True, slots=True)
class Worded:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Wording:
    subject: str
    paragraphs: tuple[str, ...]


@cache
def wording(language: str, letter: str) -> Wording:
    """Give a letter in a language, in English where it has not been translated."""
    path = FOLDER / language / f"{letter}.txt"
    if not path.is_file():
        path = FOLDER / DEFAULT / f"{letter}.txt"
    subject, _, body = path.read_text(encoding="utf-8").partition("\n")
    return Wording(subject.strip(), tuple(part.strip() for part in body.strip().split("\n\n")))


def write(language: str, letter: str, values: Mapping[str, str]) -> Worded:
    """Put the values into a letter. Raises KeyError for a name that has none."""
    said = wording(language, letter)
    subject = said.subject.format_map(values)
    text = "\n\n".join(part.format_map(values) for part in said.paragraphs) + "\n"
    escaped = {name: escape(value) for name, value in values.items()}
    body = "\n".join(_as_html(part, escaped) for part in said.paragraphs)
    head = f'<html lang="{language}"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
    html = f"<!doctype html>\n{head}\n<body>\n{body}\n</body></html>\n"
    return Worded(subject, text, html)


def _as_html(paragraph: str, escaped: Mapping[str, str]) -> str:
    if paragraph == _LINK:
        return f'<p><a href="{escaped["link"]}">{escaped["link"]}</a></p>'
    lines = escape(paragraph, quote=False).format_map(escaped).splitlines()
    return f"<p>{'<br>'.join(lines)}</p>"
