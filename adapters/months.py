"""The key of a month, and how it lies in its folder: wrapped by a root key; once it is destroyed, a note that it was."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from msgspec import Struct

from adapters.master_key import MasterKey
from adapters.wrapping import CannotUnwrap, Wrapped, Wrapping

KEY_BYTES = 32
FOLDER = "months/"


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file. Exactly one of `box` and `destroyed_at` is there."""

    format: int = 1
    kek_id: str
    root: str = ""
    """The root key that wrapped it."""
    box: bytes = b""
    destroyed_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Kept({self.kek_id})"


@dataclass(frozen=True, slots=True)
class Month:
    """A month whose key is here. `root`: the key that wrapped it in its file; `version`: which file that is."""

    first_day: date
    key: MasterKey
    root: str
    version: str

    def __repr__(self) -> str:
        return f"Month({self.key.kek_id})"


def first_of(at: datetime) -> date:
    return date(at.year, at.month, 1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def name_of(month: date) -> str:
    return f"{FOLDER}{month:%Y-%m}"


def month_of(name: str) -> date | None:
    """Give the month a file is of; None where it is something else, such as an editor's copy."""
    try:
        return datetime.strptime(name.removeprefix(FOLDER), "%Y-%m").date()  # noqa: DTZ007 - a month is in no zone
    except ValueError:
        return None


def new_key(month: date) -> MasterKey:
    return _of(month, secrets.token_bytes(KEY_BYTES))


def encoded(key: MasterKey, root: Wrapping) -> bytes:
    wrapped = root.wrap(_bound(key.kek_id), key.key)
    return msgspec.json.encode(Kept(kek_id=key.kek_id, root=wrapped.kek_id, box=wrapped.box)) + b"\n"


def tombstone(kek_id: str, at: datetime) -> bytes:
    return msgspec.json.encode(Kept(kek_id=kek_id, destroyed_at=at)) + b"\n"


def decoded(data: bytes) -> Kept:
    """Raises CannotUnwrap for what is no such file."""
    try:
        kept = msgspec.json.decode(data, type=Kept)
    except msgspec.MsgspecError:
        raise CannotUnwrap("a month's file holds something else") from None
    if kept.format != 1:
        raise CannotUnwrap(f"a month's file is of format {kept.format}: a newer release made it")
    return kept


def opened(month: date, kept: Kept, root: Wrapping, origin: str) -> MasterKey:
    """Raises CannotUnwrap, UnknownKek."""
    key = _of(month, root.unwrap(_bound(kept.kek_id), Wrapped(kept.box, kept.root)), origin)
    if key.kek_id != kept.kek_id:
        raise CannotUnwrap(f"the file of {month:%Y-%m} holds another key than it says")
    return key


def _of(month: date, key: bytes, origin: str = "") -> MasterKey:
    """As a master key's, its name is a digest: two folders that each made a key for one month are told apart."""
    digest = hashlib.sha256(b"minos month key id v1\0" + key).hexdigest()[:16]
    return MasterKey(f"mo-{month:%Y-%m}-{digest}", key, origin)


def _bound(kek_id: str) -> str:
    return f"month/{kek_id}"
