"""Values that callers hand back unread: stream versions to wait for, and cursors into lists (threats.md 15).

AES-SIV (RFC 5297) seals both: it needs no nonce, so there is no bound on how many are given out under one key, and
nobody but us can read, make or carry one over to another caller, route or filter.
"""

from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from adapters.base64url import from_text, to_text
from adapters.secrets_store import Purpose, Secrets
from domain.errors import CursorInvalid, StreamVersionInvalid
from domain.ids import StreamName

StreamVersionToken = NewType("StreamVersionToken", str)
CursorToken = NewType("CursorToken", str)

LONGEST = 2_048
"""Characters; what is longer was not made here."""
_VERSION_BYTES = 4


class StreamVersions:
    """`Minos-Stream-Version`: what an authenticated write answers with and `Minos-Wait-For` takes."""

    def __init__(self, secrets: Secrets) -> None:
        self._boxes = Boxes(secrets, Purpose.STREAM_VERSION)

    def make(self, caller: str, stream: StreamName, version: int) -> StreamVersionToken:
        """`caller` names the principal, e.g. `user:<id>`: the token is worth nothing to another."""
        return StreamVersionToken(self._boxes.seal(version.to_bytes(_VERSION_BYTES, "big") + stream.encode(), caller))

    def read(self, caller: str, token: str) -> tuple[StreamName, int]:
        """Raises StreamVersionInvalid for everything that was not given to this caller."""
        raw = self._boxes.open(token, caller)
        if raw is None:
            raise StreamVersionInvalid
        return StreamName(raw[_VERSION_BYTES:].decode()), int.from_bytes(raw[:_VERSION_BYTES], "big")


class Cursors:
    """Where a list was left off. Bound to caller, route and filter: on any other it is no cursor at all."""

    def __init__(self, secrets: Secrets) -> None:
        self._boxes = Boxes(secrets, Purpose.CURSOR)

    def make(self, after: bytes, *, caller: str, route: str, filtered_by: str) -> CursorToken:
        return CursorToken(self._boxes.seal(after, caller, route, filtered_by))

    def read(self, token: str, *, caller: str, route: str, filtered_by: str) -> bytes:
        """Raises CursorInvalid."""
        raw = self._boxes.open(token, caller, route, filtered_by)
        if raw is None:
            raise CursorInvalid
        return raw


class Boxes:
    """AES-SIV under the keys of one purpose. What is sealed opens only with the same `bound_to`."""

    def __init__(self, secrets: Secrets, purpose: Purpose) -> None:
        self._secrets = secrets
        self._purpose = purpose
        self._ciphers: dict[bytes, AESSIV] = {}

    def seal(self, content: bytes, *bound_to: str) -> str:
        versions = self._secrets.of(self._purpose)
        version = versions.current.to_bytes(2, "big")
        return to_text(version + self._cipher(versions.key).encrypt(content, [version, *(part.encode() for part in bound_to)]))

    def open(self, token: str, *bound_to: str) -> bytes | None:
        raw = from_text(token) if token.isascii() and len(token) <= LONGEST else None
        if raw is None:
            return None
        version = raw[:2]
        key = self._secrets.of(self._purpose).keys.get(int.from_bytes(version, "big"))
        if key is None:
            return None
        try:
            return self._cipher(key).decrypt(raw[2:], [version, *(part.encode() for part in bound_to)])
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, key: bytes) -> AESSIV:
        cipher = self._ciphers.get(key)
        if cipher is None:
            cipher = self._ciphers[key] = AESSIV(key)
        return cipher
