"""The seal of a manifest: who has a root key made this backup, and nobody wrote into it since."""

import hashlib

import msgspec
from msgspec import Struct

from adapters.master_key import NoMasterKey
from adapters.root_keys import roots_apart
from adapters.settings import Settings
from adapters.wrapping import CannotUnwrap, Wrapped, Wrapping
from workers.backup.manifest import BadBackup

_KEY = b"minos backup"


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A box that opens under the manifest's digest and no other name. `root`: the root key in it, as its KMS wraps it, where one does."""

    kek_id: str
    box: bytes
    root: str = ""

    def __repr__(self) -> str:
        return f"Seal({self.kek_id})"


def sealed(manifest: bytes, root: Wrapping, wrapped_roots: dict[str, str]) -> bytes:
    """`wrapped_roots`: by name, the root keys that a KMS wraps."""
    box = root.wrap(_name(manifest), _KEY)
    return msgspec.json.encode(Seal(kek_id=box.kek_id, box=box.box, root=wrapped_roots.get(box.kek_id, ""))) + b"\n"


async def check(manifest: bytes, seal: bytes, settings: Settings) -> None:
    """Raises BadBackup where the seal is another's; NoMasterKey, KmsAway and KmsRefused where there is nothing to check it with."""
    try:
        given = msgspec.json.decode(seal, type=Seal)
    except msgspec.MsgspecError:
        raise BadBackup("its seal is none") from None
    root = await roots_apart(settings, {given.kek_id: given.root} if given.root else {})
    try:
        root.unwrap(_name(manifest), Wrapped(given.box, given.kek_id))
    except CannotUnwrap as error:
        if given.kek_id not in root.kek_ids:
            raise NoMasterKey(
                f"the backup is sealed by {given.kek_id}, which is not configured: give the master key of that time"
            ) from None
        raise BadBackup("its manifest is not the one that was sealed") from error


def _name(manifest: bytes) -> str:
    return f"backup/{hashlib.sha256(manifest).hexdigest()}"
