"""Record what became of the keys that wrap all others."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

from msgspec import Struct

from commands.context import Context
from commands.ports import Ports
from commands.transact import Transaction, transact
from domain import vault_keys
from domain.ids import KekId
from domain.vault_keys import VaultKeys, VaultKeysEvent

_Decision: TypeAlias = Callable[[VaultKeys, Transaction], Sequence[VaultKeysEvent]]


class Moved(Struct, frozen=True, kw_only=True):
    """How many keys a rewrap moved."""

    service_keys: int = 0
    signing_keys: int = 0
    log_keys: int = 0
    month_keys: int = 0
    subject_keys: int = 0


async def begin_rewrap(to: KekId, ctx: Context, ports: Ports) -> None:
    """Before anything is moved: what is broken off is in the log as well."""
    await _record(lambda state, tx: vault_keys.begin_rewrap(state, to=to, at=tx.at), ctx, ports)


async def end_rewrap(to: KekId, moved: Moved, ctx: Context, ports: Ports) -> None:
    await _record(
        lambda state, tx: vault_keys.end_rewrap(
            state,
            to=to,
            service_keys=moved.service_keys,
            signing_keys=moved.signing_keys,
            log_keys=moved.log_keys,
            month_keys=moved.month_keys,
            subject_keys=moved.subject_keys,
            at=tx.at,
        ),
        ctx,
        ports,
    )


async def note_destroyed(months: Collection[KekId], ctx: Context, ports: Ports) -> None:
    """Record whose month's key is gone. Safe to repeat: what is known is not recorded again."""

    def decide(state: VaultKeys, tx: Transaction) -> Sequence[VaultKeysEvent]:
        return [event for kek_id in sorted(months) for event in vault_keys.destroy_month(state, kek_id, at=tx.at)]

    await _record(decide, ctx, ports)


async def _record(decide: _Decision, ctx: Context, ports: Ports) -> None:
    def decided(tx: Transaction) -> None:
        state = tx.state(vault_keys.decider, vault_keys.STREAM)
        tx.record(vault_keys.decider, vault_keys.STREAM, decide(state, tx))

    await transact(ports, ctx, [(vault_keys.decider, vault_keys.STREAM)], decided)
