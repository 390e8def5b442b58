"""Codes on paper for the day a factor is lost: sixty bits each, in an alphabet that is hard to misread."""

from collections.abc import Iterator

HOW_MANY = 10
BYTES = 8
"""Of chance for one code; the four bits that are left over are not used."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: without i, l, o and u."""
_MISREAD = str.maketrans({"i": "1", "l": "1", "o": "0", " ": None, "-": None})


def written(chance: bytes) -> str:
    """Write 60 of the 64 bits as three groups of four."""
    number = int.from_bytes(chance, "big")
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 60, 5))
    return "-".join(_groups(letters))


def normalise(code: str) -> str:
    """Give the letters alone, as they were meant. Anything may come in: what no code can be matches none."""
    return code.lower().translate(_MISREAD)


def _groups(letters: str) -> Iterator[str]:
    return (letters[start : start + 4] for start in range(0, len(letters), 4))
