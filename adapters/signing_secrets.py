"""Private halves of signing keys: in Postgres, wrapped by the master key."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.wrapping import Wrapped, Wrapping
from domain.ids import Kid

SQL = statements(Path(__file__).with_suffix(".sql"))


class SigningSecrets(Protocol):
    """Where a keyring keeps private keys (PKCS #8, DER). All of it may be repeated."""

    async def keep(self, kid: Kid, private: bytes) -> None: ...
    async def kids(self) -> Sequence[Kid]:
        """Every key ever kept, oldest first, also those whose private half was destroyed."""
        ...

    async def read(self, kid: Kid) -> bytes | None: ...
    async def destroy(self, kids: Sequence[Kid]) -> None: ...


class PostgresSigningSecrets:
    def __init__(self, links: Links, wrapping: Wrapping) -> None:
        self._links = links
        self._wrapping = wrapping

    async def keep(self, kid: Kid, private: bytes) -> None:
        wrapped = self._wrapping.wrap(name_of(kid), private)
        await self._links.read(SQL["keep"], kid, wrapped.box, wrapped.kek_id)

    async def kids(self) -> Sequence[Kid]:
        return [Kid(row[0]) for row in await self._links.read(SQL["list_kids"])]

    async def read(self, kid: Kid) -> bytes | None:
        """Raises CannotUnwrap."""
        rows = await self._links.read(SQL["read_one"], kid)
        return self._wrapping.unwrap(name_of(kid), Wrapped(rows[0][0], rows[0][1])) if rows else None

    async def destroy(self, kids: Sequence[Kid]) -> None:
        await self._links.read(SQL["destroy"], kids)


class MemorySigningSecrets:
    """For a process that is its own whole world, such as a test."""

    def __init__(self) -> None:
        self._private: dict[Kid, bytes | None] = {}

    def __repr__(self) -> str:
        return f"MemorySigningSecrets({len(self._private)})"

    async def keep(self, kid: Kid, private: bytes) -> None:
        self._private.setdefault(kid, private)

    async def kids(self) -> Sequence[Kid]:
        return list(self._private)

    async def read(self, kid: Kid) -> bytes | None:
        return self._private.get(kid)

    async def destroy(self, kids: Sequence[Kid]) -> None:
        for kid in kids:
            self._private[kid] = None


def name_of(kid: Kid) -> str:
    return f"signing/{kid}"
