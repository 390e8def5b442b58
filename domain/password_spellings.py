"""The forms in which a password is looked for on a list of common ones. The list is made by the same rules, so both sides agree."""

import unicodedata

MOST_DECORATION = 4
"""Digits and marks around a word that are seen through. More of them can be worth something: the strength estimate weighs those."""
SHORTEST, LONGEST = 6, 64
"""Characters of what is listed: shorter words are in everything, and nobody else has thought of longer ones."""
_PLAIN = str.maketrans("4@3105$7!", "aaeiosst" + "i")


def folded(text: str) -> str:
    """One case and one width for all (NFKC, Unicode 3.13 D145): folding can undo a composition, so until nothing moves."""
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
    within = [place for place, character in enumerate(text) if character.isalnum()]
    return text[within[0] : within[-1] + 1] if within else text


def _bare(text: str) -> str:
    """Without what surrounds its letters, unless that is more than decoration."""
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    if not letters:
        return text
    first, after = letters[0], letters[-1] + 1
    return text[first:after] if first + len(text) - after <= MOST_DECORATION else text


def _unit(text: str) -> str:
    """What it is a repetition of, or itself."""
    period = (text + text).find(text, 1)
    return text[:period] if period > 0 else text
