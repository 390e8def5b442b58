"""The forms in which a password is looked for on a list of common ones. The list is made by the same rules, so both sides agree."""

import unicodedata
from collections.abc import Callable

MOST_DECORATION = 4
"""Digits and marks around a word that are seen through. More of them can be worth something: the strength estimate weighs those."""
SHORTEST, LONGEST = 6, 64
"""Characters of what is listed: shorter words are in everything, and nobody else has thought of longer ones."""
_PLAIN = str.maketrans("4@3105$7!", "aaeiosst" + "i")


def folded(text: str) -> str:
    """One case and one width for all (NFKC, Unicode 3.13 D145): folding can undo a composition, so until nothing moves."""
    if text.isascii():
        return text.lower()
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return once if once == text else folded(once)


def plain(text: str) -> str:
    """Read the usual stand-ins for letters as the letters: `p4$$w0rd` as `password`."""
    return text.translate(_PLAIN)


def spellings(password: str) -> tuple[str, ...]:
    """Give the password as it would be listed first, then what is left without decoration, stand-ins and repetition."""
    whole = folded(password)
    if len(whole) > LONGEST:
        return ()
    bare = _bare(whole)
    forms = dict.fromkeys((whole, _unmarked(whole), bare, plain(whole), plain(bare), _bare(plain(bare)), _unit(whole), _unit(bare)))
    return tuple(form for form in forms if form == whole or len(form) >= SHORTEST)


def _unmarked(text: str) -> str:
    """Without the marks around it."""
    return _between(text, str.isalnum)


def _bare(text: str) -> str:
    """Without what surrounds its letters, unless that is more than decoration."""
    within = _between(text, str.isalpha)
    return within if len(text) - len(within) <= MOST_DECORATION else text


def _unit(text: str) -> str:
    """What it is a repetition of, or itself."""
    period = (text + text).find(text, 1)
    return text[:period] if period > 0 else text


def _between(text: str, wanted: Callable[[str], bool]) -> str:
    """From the first to the last character that is wanted; all of it where none is."""
    first, after = 0, len(text)
    while first < after and not wanted(text[first]):
        first += 1
    while after > first and not wanted(text[after - 1]):
        after -= 1
    return text[first:after] or text
