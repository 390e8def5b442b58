"""The list of the erased as commands see it: it lies outside the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.ids import InvitationId, UserId
from domain.user_events import AskedBy


class EntryRefused(Exception):
    """What lies there under the name of an entry is none of ours, and nobody is erased by it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")


class ErasedEntry(Struct, frozen=True, kw_only=True):
    """`names_until`: until when the names are nobody's; None where they were free at once. `invitations`: those that became the account."""

    user_id: UserId
    asked_by: AskedBy
    begun_at: datetime
    names_until: datetime | None
    invitations: tuple[InvitationId, ...]


class ErasedNames(Protocol):
    async def enter(self, entry: ErasedEntry) -> bool:
        """Put somebody on it for good. False where they are on it."""
        ...

    async def ids(self) -> Sequence[UserId]:
        """Give everybody on it."""
        ...

    async def get(self, user_id: UserId) -> ErasedEntry | None:
        """Raises EntryRefused."""
        ...


class ErasedReads(Protocol):
    """Which databases the list was read for: what a restore brings back is a database of its own."""

    async def database(self) -> str: ...

    async def erased(self) -> Sequence[UserId]:
        """Give everybody whose keys were destroyed in this one, by an erasure."""
        ...

    async def is_read(self, database: str) -> bool:
        """Also where nothing ever happened."""
        ...

    async def note(self, database: str, *, listed: int) -> None:
        """Raises what the list raises where so many are fewer than there can be."""
        ...
