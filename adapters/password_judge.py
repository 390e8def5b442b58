"""What is known of passwords in the world: the list that ships with us, and the estimate the hashing process makes."""

from collections.abc import Sequence
from pathlib import Path

from adapters.hashing.hasher import Argon2Hasher
from adapters.listed_passwords.fuse import FuseFilter
from commands.ports import Strength
from domain.password_spellings import spellings

LIST = Path(__file__).parent / "listed_passwords" / "passwords.fuse"


class OfflineJudge:
    """commands.ports.PasswordJudge. Asks nobody outside this machine."""

    def __init__(self, hasher: Argon2Hasher, *, listed: Path = LIST) -> None:
        """Raises NotAFilter, OSError."""
        self._hasher = hasher
        self._listed = FuseFilter(listed)

    @property
    def size(self) -> int:
        """Bytes of the list, of which all processes share one copy."""
        return self._listed.size

    def is_listed(self, password: str) -> bool:
        return any(spelling in self._listed for spelling in spellings(password))

    async def strength(self, password: str, *, context: Sequence[str] = (), network: str | None = None) -> Strength:
        return await self._hasher.strength(password, context=context, network=network)
