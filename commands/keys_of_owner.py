"""Every API key of an owner, revoked in the append that has a reason for it: none is left, and none slips in meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from commands.ports import Ports
from commands.transact import Read, Transaction, read_states
from domain import api_key, key_owner
from domain.api_key import KeyRevocation
from domain.errors import Contended
from domain.ids import ClientId, KeyId, StreamName, UserId

R = TypeVar("R")
ATTEMPTS = 16


class KeysMoved(Exception):
    """The owner has other keys than those that were read."""


@dataclass(frozen=True, slots=True)
class OwnersKeys:
    """Read `reads` in the decision, and `end` them in it."""

    of_owner: StreamName
    listed: tuple[KeyId, ...]

    @property
    def reads(self) -> list[Read]:
        return [(key_owner.decider, self.of_owner), *((api_key.decider, api_key.stream(key)) for key in self.listed)]

    def end(self, tx: Transaction, reason: KeyRevocation) -> None:
        """Raises KeysMoved."""
        if tuple(entry.key_id for entry in tx.state(key_owner.decider, self.of_owner).keys) != self.listed:
            raise KeysMoved
        for key_id in self.listed:
            end_key(tx, self.of_owner, key_id, reason)


def end_key(tx: Transaction, of_owner: StreamName, key_id: KeyId, reason: KeyRevocation) -> None:
    """Revoke a key, and take it off its owner's list."""
    stream = api_key.stream(key_id)
    tx.record(api_key.decider, stream, api_key.revoke(tx.state(api_key.decider, stream), reason=reason, at=tx.at))
    tx.record(key_owner.decider, of_owner, key_owner.remove(tx.state(key_owner.decider, of_owner), key_id, at=tx.at))


async def with_keys_of(owner: UserId | ClientId, ports: Ports, act: Callable[[OwnersKeys], Awaitable[R]]) -> R:
    """Run `act` with the keys there are; again where others were made meanwhile. Raises Contended."""
    of_owner: Read = (key_owner.decider, key_owner.stream(owner))
    for _ in range(ATTEMPTS):
        listed = tuple(entry.key_id for entry in (await read_states(ports, [of_owner])).state(*of_owner).keys)
        try:
            return await act(OwnersKeys(of_owner[1], listed))
        except KeysMoved:
            continue
    raise Contended
