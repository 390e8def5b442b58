"""How a secret for machines is written: a prefix that scanners know, 256 bits in base62, and a checksum.

The checksum tells a typo, or text that only looks like one, from a secret before anything is looked up. It protects nothing.
"""

from zlib import crc32

SECRET_BYTES = 32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS, _CHECK_CHARACTERS = 43, 6


def written(prefix: str, raw: bytes) -> str:
    """Write 32 random bytes behind a prefix. Raises ValueError for another length."""
    if len(raw) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes")
    text = prefix + _base62(int.from_bytes(raw, "big"), _SECRET_CHARACTERS)
    return text + _check(text)


def is_written(text: str, prefix: str) -> bool:
    """Tell whether a text has this prefix, the length and the checksum of something we wrote."""
    body, check = text[:-_CHECK_CHARACTERS], text[-_CHECK_CHARACTERS:]
    if len(text) != len(prefix) + _SECRET_CHARACTERS + _CHECK_CHARACTERS or not body.startswith(prefix) or not text.isascii():
        return False
    return _check(body) == check


def _check(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECK_CHARACTERS)


def _base62(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
