"""Which passwords may be chosen (NIST SP 800-63B-4 3.1.1.2): length first, no composition rules, no own names in it, none that is known."""

import re
from collections.abc import Iterable

from domain.errors import PasswordUnacceptable
from domain.password_spellings import folded, plain

LONGEST = 1_024
"""Characters; nothing is ever truncated, so there has to be an end."""
SHORTEST_CONTEXT_WORD = 4
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def check_choice(password: str, *, min_length: int, context: Iterable[str]) -> None:
    """Raise PasswordUnacceptable, saying what to do better. `context` holds the account's own names and the service's."""
    normal = folded(password[: LONGEST + 1])
    if min(len(password), len(normal)) < min_length:  # one character can unfold into eighteen
        raise PasswordUnacceptable(f"The password needs at least {min_length} characters.")
    if max(len(password), len(normal)) > LONGEST:
        raise PasswordUnacceptable(f"The password may have at most {LONGEST} characters.")
    if len(set(normal)) < 4:
        raise PasswordUnacceptable("The password repeats too few different characters.")
    read = (normal, plain(normal), normal[::-1])
    for word in map(folded, context):
        if len(word) >= SHORTEST_CONTEXT_WORD and any(word in text for text in read):
            raise PasswordUnacceptable("The password contains the account's own address or name, or the service's name.")


def check_unknown(*, listed: bool) -> None:
    """Raise PasswordUnacceptable for one that attackers try because others had it."""
    if listed:
        raise PasswordUnacceptable("The password is on a list of passwords that were stolen or are common, or differs little from one.")


def check_unused_before(*, used: bool) -> None:
    """Raise PasswordUnacceptable for one that was this account's."""
    if used:
        raise PasswordUnacceptable("The password is, or was, the password of this account.")


def check_strength(score: int, *, min_score: int, advice: Iterable[str]) -> None:
    """Raise PasswordUnacceptable for one that is guessed too soon, with the estimate's own advice. Scores go from 0 to 4."""
    if score < min_score:
        raise PasswordUnacceptable(" ".join(("The password is too easy to guess.", *advice)))


def context_words(*names: str | None) -> tuple[str, ...]:
    """Give the words of an account that its password must not contain: each name, its parts, and the parts run together."""
    words: list[str] = []
    for name in names:
        if name:
            parts = [part for part in _BETWEEN_WORDS.split(name) if part]
            words += (name, *parts, "".join(_BETWEEN_WORDS.split(name.partition("@")[0])))
    return tuple(dict.fromkeys(words))
