"""What a small witness remembers over a restart, and the evidence that it leaves behind: files beside each other."""

import json
import os
from hashlib import sha256
from pathlib import Path

from minos_sdk.audit.checkpoints import NotACheckpoint, read_checkpoint
from minos_sdk.audit.comparing import Fork, Seen
from minos_sdk.audit.notes import Forged, LogKey


class NotRemembered(ValueError):
    """A file is there, and is not the newest checkpoint of this log. The message says which file and why."""


def remembered(file: Path, key: LogKey) -> Seen | None:
    """Give the checkpoint in a file, None where there is no file. Raises NotRemembered: nothing is begun over what somebody kept."""
    try:
        raw = file.read_bytes()
        return Seen(read_checkpoint(raw, [key]), raw.decode())
    except FileNotFoundError:
        return None
    except (OSError, NotACheckpoint, Forged) as error:
        raise NotRemembered(f"{file} is to have a checkpoint of {key.name}: {error}") from None


def remember(file: Path, seen: Seen) -> None:
    """Put the note in the file's place, whole and flushed. Raises OSError."""
    _replace(file, seen.note)


def leave_evidence(file: Path, fork: Fork) -> Path:
    """Write two checkpoints that contradict each other beside the file, each pair once. Raises OSError."""
    name = sha256(f"{fork.kept}{fork.other}".encode()).hexdigest()[:16]
    evidence = file.with_name(f"{file.name}.{fork.kind.value}-{name}.json")
    if not evidence.exists():
        _replace(
            evidence, json.dumps({"kind": fork.kind.value, "kept": fork.kept, "other": fork.other}, ensure_ascii=False, indent=2) + "\n"
        )
    return evidence


def _replace(file: Path, text: str) -> None:
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    with scratch.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(file)
