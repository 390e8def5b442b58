"""What a witness answers to a checkpoint (C2SP tlog-witness, add-checkpoint)."""

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from msgspec import Struct

from adapters.note_keys import WitnessKey, verifies
from adapters.witness.memory import Seen, WitnessMemory
from domain.tree.cosignature import Forged, is_signed
from domain.tree.note import write_note
from domain.tree.policy import Policy
from domain.tree.proofs import ProofInvalid, check_consistency
from domain.tree.submission import SIZE_TYPE, BadSubmission, Submission, read_submission, write_answer

_TEXT = "text/plain; charset=utf-8"


class Answer(Struct, frozen=True, kw_only=True):
    status: HTTPStatus
    body: str
    media_type: str = _TEXT


class Witness:
    """Cosigns for the logs of a policy what continues all that it has seen of them. For one thread: it waits for the disk."""

    def __init__(self, key: WitnessKey, logs: Policy, memory: WitnessMemory, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._logs = logs
        self._memory = memory
        self._clock = clock
        self._log = structlog.get_logger()

    def add(self, raw: bytes) -> Answer:
        """Raises MemoryAway."""
        try:
            submitted = read_submission(raw)
        except BadSubmission as bad:
            return _refused(HTTPStatus.BAD_REQUEST, str(bad))
        keys = self._logs.keys_of(submitted.checkpoint.origin)
        if not keys:
            return _refused(HTTPStatus.NOT_FOUND, "this log is not known here")
        try:
            signed = [is_signed(submitted.note, key, verifies) for key in keys]
        except Forged:
            signed = []
        if not any(signed):
            return _refused(HTTPStatus.FORBIDDEN, "the log has not signed this")
        if submitted.old > submitted.checkpoint.size:
            return _refused(HTTPStatus.BAD_REQUEST, "the old size is beyond the checkpoint's")
        return self._continued(submitted)

    def _continued(self, submitted: Submission) -> Answer:
        checkpoint, note = submitted.checkpoint, submitted.note
        at = int(self._clock())  # before anything is looked at: what was the newest then
        seen = self._memory.seen(checkpoint.origin)
        if submitted.old != seen.size:
            return _elsewhere(seen)
        new = Seen(size=checkpoint.size, root=checkpoint.root, note=write_note(note.text, note.signatures))
        if new.size == seen.size and new.root != seen.root:
            self._tell_fork(checkpoint.origin, new)
            return _refused(HTTPStatus.CONFLICT, "another root was cosigned for this size")
        try:
            check_consistency(submitted.path, first=seen.size, second=new.size, first_root=seen.root, second_root=new.root)
        except ProofInvalid as invalid:
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(invalid))
        if new.size > seen.size and not self._memory.move(checkpoint.origin, seen, new):
            return _elsewhere(self._memory.seen(checkpoint.origin))
        return Answer(status=HTTPStatus.OK, body=write_answer([self._key.cosign(note.text, at=at)]))

    def _tell_fork(self, origin: str, other: Seen) -> None:
        if self._memory.keep_fork(origin, other):
            self._log.error("witness_saw_fork", origin=origin, size=other.size)


def _refused(status: HTTPStatus, words: str) -> Answer:
    return Answer(status=status, body=f"{words}\n")


def _elsewhere(seen: Seen) -> Answer:
    """Tell the size to go on from."""
    return Answer(status=HTTPStatus.CONFLICT, body=f"{seen.size}\n", media_type=SIZE_TYPE)
