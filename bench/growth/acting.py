"""Commands decided on states in memory, as `commands.transact` decides them on heads: each gives the commit it would append."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.random import SystemRandomness
from commands.context import Context
from commands.ports import Commit, Heads, StoredHead
from commands.transact import Read, Transaction
from domain.decider import Decider
from domain.ids import CommandId, StreamName

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Made(NamedTuple):
    """A commit, and when it was."""

    at: datetime
    commit: Commit


class Past:
    """A clock that is moved by hand, and ids as they would have been made then."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.random = SystemRandomness(clock=self._nanoseconds)

    def _nanoseconds(self) -> int:
        passed = self.at - _EPOCH
        return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000


class Acting:
    """Streams that only this one writes: what it decides next is decided on what it decided before."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.made: list[Made] = []
        self._states: dict[StreamName, Any] = {}
        self._versions: dict[StreamName, int] = {}

    def state(self, of: Decider[Any, Any], stream: StreamName) -> Any:
        return self._states.get(stream, of.initial)

    def act(self, ctx: Context, reads: Sequence[Read], decide: Callable[[Transaction], None]) -> None:
        """Decide at the clock's time. Raises whatever the decision raises, and ValueError where nothing was decided."""
        heads = tuple(
            StoredHead(stream=stream, version=self._versions.get(stream, 0), state=None, state_version=of.state_version)
            for of, stream in reads
        )
        folded = {stream: self.state(of, stream) for of, stream in reads}
        command_id = CommandId(self.past.random.uuid7())
        tx = Transaction(Heads(heads=heads, at=self.past.at), command_id, folded, len(reads))
        decide(tx)
        if not tx.changes_something:
            raise ValueError("a command that changes nothing is no part of a history")
        self._versions |= tx.versions()
        self._states |= {stream: tx.state(of, stream) for of, stream in reads}
        self.made.append(Made(self.past.at, tx.commit(ctx, None)))
