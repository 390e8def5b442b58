"""The master key: wraps every other key at rest. Given in the settings, or made once and kept in the data folder."""

import base64
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from adapters.master_key_text import MASTER_KEY_BYTES, decoded, several
from adapters.secret import Secret
from adapters.settings import Settings

FILE_NAME = "master.key"
PREVIOUS_NAME = "master.key.previous"
GIVEN = "MINOS_MASTER_KEY"
GIVEN_BESIDES = "MINOS_MASTER_KEY_PREVIOUS"


class NoMasterKey(Exception):
    """There is no usable master key. The message tells the operator what to set."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes, and the name by which wrapped keys remember which master key wrapped them.

    The name is a digest of the key under a label of its own: the same key has the same name everywhere, and the name
    tells nothing about the key. `origin` says where it was found: the setting's name or the file.
    """

    kek_id: str
    key: bytes
    origin: str = field(default=GIVEN, compare=False)

    def __repr__(self) -> str:
        return f"MasterKey(kek_id={self.kek_id!r})"


def of_bytes(key: bytes, origin: str = GIVEN) -> MasterKey:
    if len(key) != MASTER_KEY_BYTES:
        raise NoMasterKey(f"the master key in {origin} must be {MASTER_KEY_BYTES} bytes in base64")
    return named("mk", key, origin)


def named(kind: str, key: bytes, origin: str) -> MasterKey:
    return MasterKey(f"{kind}-" + hashlib.sha256(b"minos master key id v1\0" + key).hexdigest()[:16], key, origin)


def load(settings: Settings) -> MasterKey:
    """Give the master key of the settings, else the one kept in the data folder. Raises NoMasterKey."""
    if settings.master_key is not None:
        return of_bytes(decoded(settings.master_key) or b"")
    return _read(settings.data_dir / FILE_NAME)


def previous(settings: Settings) -> list[MasterKey]:
    """Give the keys that open what they wrapped before, of the settings and of the data folder. Raises NoMasterKey."""
    path = settings.data_dir / PREVIOUS_NAME
    given = [of_bytes(decoded(each) or b"", GIVEN_BESIDES) for each in several(settings.master_key_previous)]
    kept = [of_bytes(decoded(each) or b"", str(path)) for each in several(_secret_in(path))] if path.exists() else []
    return given + kept


def is_missing(settings: Settings) -> bool:
    """Tell whether one is needed and there is none, neither given nor kept."""
    return settings.root_key == "local" and settings.master_key is None and not (settings.data_dir / FILE_NAME).exists()


def lost(settings: Settings) -> NoMasterKey:
    """Give what to raise when there is none for a database that was begun with one: a new one would open nothing of it."""
    folder = settings.data_dir
    return NoMasterKey(
        f"{folder / FILE_NAME} is gone, and what the database holds opens with that key only: put it back from a backup, or set {GIVEN}; "
        f"if all of it may go, delete {folder} (and a database of your own) to begin anew"
    )


def load_or_make(settings: Settings) -> MasterKey:
    """As `load`, making and keeping a key where there is none yet. Only for new databases, outside production."""
    make_missing(settings)
    return load(settings)


def make_missing(settings: Settings) -> None:
    """Make and keep a key where one is needed and there is none yet. Only for new databases, outside production."""
    path = settings.data_dir / FILE_NAME
    if is_missing(settings) and not settings.in_production:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep(path, base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")


def _keep(path: Path, content: bytes) -> None:
    """Write beside, sync, link into place: never a partial key, and never a second one over the first."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            return  # another start was first: its key counts
    finally:
        scratch.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _read(path: Path) -> MasterKey:
    return of_bytes(decoded(_secret_in(path)) or b"", str(path))


def _secret_in(path: Path) -> Secret:
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise NoMasterKey(f"set MINOS_MASTER_KEY, or MINOS_MASTER_KEY_FILE; {path} cannot be read ({type(error).__name__})") from None
    if stat.S_IMODE(mode) & 0o077:
        raise NoMasterKey(f"{path} may be read by other users of this machine: chmod 600 it")
    return Secret(text)
