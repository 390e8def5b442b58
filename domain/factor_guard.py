"""How many wrong codes an account takes, over all its challenges (threats.md 3): a million of them are all there is."""

from domain.sign_in_guard import MOST_FAILURES, Patience

PAUSE_AFTER = 10
"""Failures in a row before the first pause."""
PAUSES = (60, 300, 900, 3_600)
"""Seconds of pause after the 10th, 11th, 12th, and each later failure in a row."""
_MONTH = 30 * 86_400


def _pause_after(failures: int) -> int:
    if failures < PAUSE_AFTER:
        return 0
    return _MONTH if failures >= MOST_FAILURES else PAUSES[min(failures - PAUSE_AFTER, len(PAUSES) - 1)]


CODES = Patience(waits=tuple(_pause_after(n) for n in range(1, MOST_FAILURES + 1)), ttl=_MONTH)
"""Longer than for passwords, of which there are more than one can try: who knows the password must not get a few codes a day for ever."""


MAILED_CODE_LIFE = 600
"""Seconds from the asking; within them the same code is sent again."""
TRIES = 5
"""At one mailed code, however often it is sent."""
MAILED_CODES = Patience(waits=(*[0] * (TRIES - 1), 2 * MAILED_CODE_LIFE), ttl=2 * MAILED_CODE_LIFE)
"""Of one challenge: then the code is worth nothing any more."""


def needs_recovery(failures: int) -> bool:
    return failures >= MOST_FAILURES
