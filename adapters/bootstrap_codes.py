"""The one-time code that makes the first administrator (threats.md 18)."""

import base64
import hashlib
import os
from hmac import compare_digest
from pathlib import Path

from adapters.postgres_links import Links
from adapters.postgres_sql import statements

SQL = statements(Path(__file__).with_suffix(".sql"))
CODE_BYTES = 16
CODE_TTL = 3_600
"""Seconds."""
TRIES = 5
_GROUP = 4
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B", "-": "", " ": ""})


class PostgresBootstrapCodes:
    """commands.ports.BootstrapCodes. One code at most is alive; a new one replaces it and has its tries anew."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def issue(self) -> str:
        """Make a code. Print it to a person; it must never pass through the logger."""
        code = new_code()
        await self._links.read(SQL["issue"], digest(code), CODE_TTL)
        return code

    async def redeem(self, code: str) -> bool:
        """Count the try against the code that is alive, whatever was typed."""
        alive = await self._links.run(SQL["count_try"], TRIES)
        return bool(alive) and compare_digest(alive[0][0], digest(code))


def new_code() -> str:
    """128 random bits in base32 (RFC 4648 6), in groups of four for the eye."""
    code = base64.b32encode(os.urandom(CODE_BYTES)).decode().rstrip("=")
    return "-".join(code[i : i + _GROUP] for i in range(0, len(code), _GROUP))


def digest(code: str) -> bytes:
    """Case, spaces and hyphens do not matter; digits that are not in the alphabet are the letters they look like."""
    canonical = code.upper().translate(_MISREAD)
    return hashlib.sha256(b"minos bootstrap code v1\0" + canonical.encode("utf-8", "surrogatepass")).digest()
