"""Base64url without padding (RFC 7515 2), with one spelling for each value."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes | None:
    """Give the bytes, or None for what nobody would write: so no token can be spelled in two ways."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if to_text(raw) == text else None
