"""A witness in a folder of its own, that knows one log."""

from pathlib import Path

import pytest

from adapters.note_keys import WitnessKey, verifies
from adapters.witness.folder import Home
from adapters.witness.witness import Witness
from domain.tree.checkpoint import Checkpoint, read_checkpoint
from domain.tree.cosignature import cosigned_at
from domain.tree.note import Note, read_note
from domain.tree.submission import read_answer
from tests.witness.logs import TestLog

NOW = 1_800_000_000


class Cosigner:
    """A witness and what it takes to look at its answers."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.key: WitnessKey = home.key()
        self.memory = home.memory(self.key)
        self.witness = Witness(self.key, home.logs(), self.memory, clock=lambda: NOW)

    def status(self, raw: bytes) -> int:
        return self.witness.add(raw).status.value

    def cosigned(self, raw: bytes) -> Checkpoint | None:
        """Give the checkpoint if it was cosigned, and rightly."""
        answer = self.witness.add(raw)
        if answer.status.value != 200:
            return None
        submitted = read_note(raw.decode().partition("\n\n")[2])
        note = Note(text=submitted.text, signatures=tuple(read_answer(answer.body)))
        assert cosigned_at(note, self.key.public, verifies) == NOW
        return read_checkpoint(submitted.text)


@pytest.fixture
def log() -> TestLog:
    return TestLog()


@pytest.fixture
def home(tmp_path: Path, log: TestLog) -> Home:
    home = Home(folder=tmp_path / "witness")
    home.make("witness.example.org")
    (home.folder / "logs").write_text(f"{log.line}quorum none\n")
    return home


@pytest.fixture
def cosigner(home: Home) -> Cosigner:
    return Cosigner(home)
