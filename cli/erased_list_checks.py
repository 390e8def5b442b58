"""What `minos doctor` looks at of the list of the erased: that it has everybody, and nothing that is none of ours."""

from adapters.checkpoint_key import read_signer
from adapters.erased_list import FOLDER, ErasedList, strangers
from adapters.erased_reads import ErasedReads
from adapters.master_key import NoMasterKey
from adapters.postgres_links import Links
from adapters.root_keys import open_root
from adapters.second_place import PlaceAway, SecondPlace, open_second_place
from adapters.settings import Settings
from adapters.transit import KmsAway, KmsRefused
from adapters.wrapping import CannotUnwrap
from cli.finding import Finding
from commands.erase_again import refused_entries
from domain.errors import StoreUnavailable

CHECK = "list of the erased"
MOST_NAMED = 3


async def erased_list(settings: Settings) -> list[Finding]:
    """Look at a database that is migrated. Of keys and places that are away the other checks tell."""
    if settings.database_url is None:
        return []
    place, links = open_second_place(settings), Links(settings.database_url.reveal(), size=1)
    try:
        return [await _look(settings, place, links)]
    except (NoMasterKey, CannotUnwrap, KmsAway, KmsRefused, PlaceAway, StoreUnavailable):
        return []
    finally:
        await place.close()
        await links.close()


async def _look(settings: Settings, place: SecondPlace, links: Links) -> Finding:
    signer = await read_signer(links, await open_root(settings, links, making=False))
    if signer is None:
        return Finding(check=CHECK, ok=True, detail="nobody was erased yet")
    listed, reads = ErasedList(place, signer), ErasedReads(links)
    refused, ids = await refused_entries(listed, reads), await listed.ids()
    missing = frozenset(await reads.erased()) - frozenset(ids)
    others = strangers(await place.names(FOLDER))
    wrong = [
        *([refused.in_words] if refused.refused else []),
        *([f"{len(missing)} were erased and are not on it: `timekeeper` enters them once a day and at its start"] if missing else []),
        *([f"{len(others)} files are no entries, as {', '.join(others[:MOST_NAMED])}"] if others else []),
    ]
    detail = "; ".join(wrong) or f"{len(ids)} on it, everybody who was erased among them"
    return Finding(check=CHECK, ok=not wrong, detail=detail)
