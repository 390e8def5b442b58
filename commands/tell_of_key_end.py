"""That an API key ends soon is said while its owner can still see to the next one."""

from commands.context import Context
from commands.ports import Ports
from commands.transact import Read, Transaction, transact
from domain import api_key
from domain.ids import KeyId


async def tell_of_key_end(key_id: KeyId, ctx: Context, ports: Ports) -> bool:
    """Say it once before each end. False where it is too early, or has been said. Safe to repeat."""
    read: Read = (api_key.decider, api_key.stream(key_id))

    def decide(tx: Transaction) -> None:
        tx.record(*read, api_key.tell_of_end(tx.state(*read), at=tx.at))

    return (await transact(ports, ctx, [read], decide)).appended
