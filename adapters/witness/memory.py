"""What a witness saw of each log last, in a file that is flushed before anything is answered.

All that a witness is worth is in here: with an older copy of it, it would cosign a second history. So it is never made where a key is
already, and belongs to one key.
"""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from domain.tree.hashing import EMPTY_ROOT

BUSY_SECONDS = 5.0
MOST_FORKS = 100
_SCHEMA = """
PRAGMA journal_mode = DELETE;
CREATE TABLE witness (only_row integer PRIMARY KEY CHECK (only_row = 1), key text NOT NULL) STRICT;
CREATE TABLE seen (origin text PRIMARY KEY, size integer NOT NULL, root blob NOT NULL, note text NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE forks (origin text, size integer, root blob, note text NOT NULL, PRIMARY KEY (origin, size, root)) STRICT, WITHOUT ROWID;
"""


class MemoryLost(Exception):
    """A witness has its key and not what it saw, or what another saw. The message says what to do."""


class MemoryAway(Exception):
    """What was seen cannot be read or written now: nothing is answered."""


class Seen(Struct, frozen=True, kw_only=True):
    """The newest checkpoint of a log that was cosigned; `note` as its log signed it, empty before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


class WitnessMemory:
    """For the thread that made it. Any number of processes may share the file."""

    def __init__(self, path: Path, key: str) -> None:
        """`key` is the line of the witness's own. Raises MemoryLost."""
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            # EXTRA flushes the folder as well: a journal that comes back after a crash would undo what was answered.
            self._db.execute("PRAGMA synchronous = EXTRA")
            row: tuple[str] | None = self._db.execute("SELECT key FROM witness").fetchone()
        except sqlite3.Error as error:
            raise MemoryLost(f"{path}, which says what this witness has seen, cannot be read ({error}): {_WHAT_TO_DO}") from None
        if row is None or row[0] != key:
            raise MemoryLost(f"{path} says what a witness of another key has seen: {_WHAT_TO_DO}")

    @classmethod
    def make(cls, path: Path, key: str) -> None:
        """Raises FileExistsError."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        db = sqlite3.connect(path)
        try:
            db.executescript(f"PRAGMA synchronous = EXTRA; {_SCHEMA}")
            with db:
                db.execute("INSERT INTO witness VALUES (1, ?)", (key,))
        finally:
            db.close()

    def seen(self, origin: str) -> Seen:
        """Give what was seen of a log last: an empty one, if nothing. Raises MemoryAway."""
        with _answering():
            row: tuple[int, bytes, str] | None = self._db.execute(
                "SELECT size, root, note FROM seen WHERE origin = ?", (origin,)
            ).fetchone()
        return Seen() if row is None else Seen(size=row[0], root=row[1], note=row[2])

    def move(self, origin: str, old: Seen, new: Seen) -> bool:
        """Remember `new` if `old` is still what was seen last. It is on the disk once this is True. Raises MemoryAway."""
        with _answering():
            if old.note:
                done = self._db.execute(
                    "UPDATE seen SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ? AND root = ?",
                    (new.size, new.root, new.note, origin, old.size, old.root),
                )
            else:
                done = self._db.execute(
                    "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (origin, new.size, new.root, new.note)
                )
            return done.rowcount == 1

    def keep_fork(self, origin: str, other: Seen) -> bool:
        """Keep a checkpoint that contradicts what was seen at its size: with that, it convicts the log. False where it is kept already."""
        with _answering():
            done = self._db.execute(
                "INSERT INTO forks SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM forks) < ? ON CONFLICT DO NOTHING",
                (origin, other.size, other.root, other.note, MOST_FORKS),
            )
            return done.rowcount == 1

    def forks(self) -> list[str]:
        """Give the checkpoints that contradict what was seen. Raises MemoryAway."""
        with _answering():
            rows: list[tuple[str]] = self._db.execute("SELECT note FROM forks ORDER BY origin, size, root").fetchall()
        return [note for (note,) in rows]

    def close(self) -> None:
        self._db.close()


_WHAT_TO_DO = (
    "a witness that forgot would cosign a second history. Put the newest one back only if no later one ever was; "
    "otherwise make a new witness, with a new key (`minos witness init`)"
)


@contextmanager
def _answering() -> Generator[None, None, None]:
    try:
        yield
    except sqlite3.Error as error:
        raise MemoryAway(f"what this witness has seen cannot be read or written: {error}") from error
