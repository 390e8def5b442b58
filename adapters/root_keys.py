"""The keys that all others hang on: master keys of this machine, or keys that a KMS wraps."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from adapters import master_key
from adapters.master_key import MasterKey, NoMasterKey
from adapters.postgres_links import Links
from adapters.settings import Settings
from adapters.transit import Transit
from adapters.transit_root import SQL as WRAPPED
from adapters.transit_root import TransitRoot, opened
from adapters.wrapping import Wrapping


@runtime_checkable
class RootKeys(Protocol):
    """One suite runs against every implementation (tests/keys/test_root_keys.py)."""

    async def keys(self) -> Sequence[MasterKey]:
        """Give the keys, the one to wrap with first. Asked once at the start of a process: what follows does not need the KMS."""
        ...


class LocalRoot:
    """The master key of the settings or the data folder, and those that were before it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def keys(self) -> Sequence[MasterKey]:
        """Raises NoMasterKey."""
        return [master_key.load(self._settings), *master_key.previous(self._settings)]


class OtherMasterKeys:
    """What there is of master keys while a KMS is what new keys hang on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def keys(self) -> Sequence[MasterKey]:
        settings = self._settings
        there = settings.master_key is not None or (settings.data_dir / master_key.FILE_NAME).exists()
        return [*([master_key.load(settings)] if there else []), *master_key.previous(settings)]


def roots(settings: Settings, links: Links, *, making: bool = True) -> Sequence[RootKeys]:
    """Give what is configured, what new keys hang on first."""
    makes = making and settings.root_key == "transit"
    transit = [TransitRoot(links, Transit.of(settings), makes=makes)] if settings.transit_url else []
    return [*transit, OtherMasterKeys(settings)] if settings.root_key == "transit" else [LocalRoot(settings), *transit]


async def rewrap_roots(settings: Settings, owner: Links) -> int:
    """Have what a KMS wraps wrapped by the newest version of its key. Gives how many changed. As the owner."""
    return await TransitRoot(owner, Transit.of(settings)).rewrap() if settings.transit_url else 0


async def open_root(settings: Settings, links: Links, *, making: bool = True) -> Wrapping:
    """Give all root keys there are; without `making` none is made in a new database.

    Raises NoMasterKey, KmsAway, KmsRefused, StoreUnavailable.
    """
    found = [key for root in roots(settings, links, making=making) for key in await root.keys()]
    if not found:
        raise NoMasterKey(f"no root key was made yet in {settings.transit_url}: start Minos")
    return Wrapping(found)


async def roots_apart(settings: Settings, wrapped: Mapping[str, str]) -> Wrapping:
    """Give all root keys there are without a database: those of this machine, and `wrapped` ones (by name) that a KMS opens.

    Raises NoMasterKey, KmsAway, KmsRefused.
    """
    keys = list(await OtherMasterKeys(settings).keys())
    if wrapped and settings.transit_url:
        keys += [await opened(Transit.of(settings), kek_id, each) for kek_id, each in wrapped.items()]
    if not keys:
        raise NoMasterKey("set MINOS_MASTER_KEY or MINOS_TRANSIT_URL: without a root key nothing can be checked")
    return Wrapping(keys)


async def wrapped_roots(links: Links) -> dict[str, str]:
    """Give the root keys that a KMS wraps, as they lie in the database, by name."""
    return {row["kek_id"]: row["wrapped"] for row in await links.read(WRAPPED["known"])}
