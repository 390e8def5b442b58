"""One witness, as the log meets it: where it is, what it answers, and when to ask it again."""

import time
from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog
from msgspec import Struct

from adapters.note_keys import verifies
from adapters.tree_store import TreeStore
from adapters.witness.asking import Reply, WitnessAway, WitnessLine
from domain.tree.checkpoint import Checkpoint
from domain.tree.cosignature import Forged, cosigned_at
from domain.tree.note import BadNote, Note, Signature, read_note
from domain.tree.policy import Witness
from domain.tree.submission import SIZE_TYPE, read_answer, read_size, write_submission

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_TRIES = 3
"""Of one checkpoint: a witness says once where it is, and again if another of us was faster."""


class Outcome(StrEnum):
    COSIGNED = "cosigned"
    AHEAD = "ahead"
    """It has seen more than is submitted: another of us was faster, or this log went back."""
    REFUSED = "refused"
    AWAY = "away"


class Submitted(Struct, frozen=True, kw_only=True):
    """A checkpoint as it is submitted, with its note."""

    checkpoint: Checkpoint
    note: str


class _Refused(Exception):
    def __init__(self, outcome: Outcome, words: str) -> None:
        super().__init__(words)
        self.outcome = outcome


class Correspondent:
    """Asks one witness. After a failure it is left alone for a while that doubles."""

    def __init__(
        self,
        witness: Witness,
        line: WitnessLine,
        tree: TreeStore,
        *,
        observe: Callable[[str, Outcome], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = witness.name
        self._key, self._line, self._tree = witness.key, line, tree
        self._observe, self._clock = observe, clock
        self._seen = 0
        """The size that it saw last, as far as is known."""
        self._pause, self._free_at = FIRST_PAUSE_S, 0.0
        self._told = ""
        self._log = structlog.get_logger()

    @property
    def is_free(self) -> bool:
        return self._clock() >= self._free_at

    async def cosigned(self, submitted: Submitted) -> Sequence[Signature]:
        """Give the witness's signature, nothing where it gives none. Raises StoreUnavailable; ValueError where the tree is not there."""
        try:
            found = await self._asked(submitted)
        except WitnessAway as away:
            self._fail(Outcome.AWAY, str(away))
            return ()
        except _Refused as refused:
            self._fail(refused.outcome, str(refused))
            return ()
        self._pause, self._told = FIRST_PAUSE_S, ""
        self._observe(self.name, Outcome.COSIGNED)
        return found

    async def _asked(self, submitted: Submitted) -> Sequence[Signature]:
        size = submitted.checkpoint.size
        for _ in range(_TRIES):
            if self._seen > size:
                seen, self._seen = self._seen, 0  # ask anew next time: what it was told may not be so
                raise _Refused(Outcome.AHEAD, f"it has seen {seen} events, and this log has {size}")
            path = await self._tree.consistency(self._seen, size)
            reply = await self._line.add(write_submission(self._seen, path, submitted.note))
            elsewhere = read_size(reply.body) if (reply.status, reply.media_type) == (409, SIZE_TYPE) else None
            if elsewhere is None:
                return self._read(reply, read_note(submitted.note), size)
            self._seen = elsewhere
        raise _Refused(Outcome.AHEAD, "it is told of other checkpoints meanwhile")

    def _read(self, reply: Reply, note: Note, size: int) -> Sequence[Signature]:
        if reply.status >= 500 or reply.status in {408, 429}:
            raise WitnessAway(f"it answered {reply.status}")
        if reply.status != 200:
            raise _Refused(Outcome.REFUSED, f"it answered {reply.status}: {reply.body[:80].strip()}")
        try:
            mine = tuple(each for each in read_answer(reply.body) if each.by == self._key.key_name)
            if cosigned_at(Note(text=note.text, signatures=mine), self._key, verifies) is None:
                raise _Refused(Outcome.REFUSED, "it answered with no signature of its key")
        except (BadNote, Forged) as error:
            raise _Refused(Outcome.REFUSED, f"it answered with no signature that holds: {error}") from None
        self._seen = size
        return mine[:1]

    def _fail(self, outcome: Outcome, words: str) -> None:
        self._free_at = self._clock() + self._pause
        if outcome is not Outcome.AHEAD:
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
        self._observe(self.name, outcome)
        if self._told != words:  # once, not every second
            self._told = words
            tell = self._log.error if outcome is Outcome.REFUSED else self._log.warning
            tell("witness_does_not_cosign", witness=self.name, state=outcome.value, reason=words)
