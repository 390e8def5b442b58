"""Which passwords may be chosen (NIST SP 800-63B-4 3.1.1.2): length first, no composition rules, no own names in it."""

import unicodedata
from collections.abc import Iterable

from domain.errors import PasswordUnacceptable

LONGEST = 1_024
"""Characters; nothing is ever truncated, so there has to be an end."""
SHORTEST_CONTEXT_WORD = 4


def check_choice(password: str, *, min_length: int, context: Iterable[str]) -> None:
    """Raise PasswordUnacceptable, saying what to do better. `context` holds the account's own names and the service's."""
    normalised = unicodedata.normalize("NFKC", password)
    if min(len(password), len(normalised)) < min_length:  # one character can unfold into eighteen
        raise PasswordUnacceptable(f"The password needs at least {min_length} characters.")
    if len(normalised) > LONGEST:
        raise PasswordUnacceptable(f"The password may have at most {LONGEST} characters.")
    if len(set(normalised)) < 4:
        raise PasswordUnacceptable("The password repeats too few different characters.")
    folded = normalised.casefold()
    for word in context:
        spelled = unicodedata.normalize("NFKC", word).casefold()
        if len(spelled) >= SHORTEST_CONTEXT_WORD and spelled in folded:
            raise PasswordUnacceptable("The password contains the account's own address or name, or the service's name.")


def context_words(*names: str | None) -> tuple[str, ...]:
    """Give the words of an account that its password must not contain."""
    words: list[str] = []
    for name in names:
        if name:
            words.append(name)
            words.extend(name.replace("@", " ").replace(".", " ").split())
    return tuple(words)
