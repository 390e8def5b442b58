"""What became of the keys that wrap all others: ids and counts, never a key. One stream (threats.md 17)."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.event import Event
from domain.ids import KekId, KekSlug, StreamName


class RewrapBegun(Event, frozen=True, kw_only=True, tag="vault.rewrap_begun.v1"):
    """Keys are being moved to this root key. Where no end follows, it was broken off, and nothing is lost by that."""

    to: KekSlug


class Rewrapped(Event, frozen=True, kw_only=True, tag="vault.rewrapped.v1"):
    """Nothing hangs on another root key any more. The counts are of what the last run moved."""

    to: KekSlug
    service_keys: int
    signing_keys: int
    log_keys: int
    month_keys: int
    subject_keys: int


class MonthDestroyed(Event, frozen=True, kw_only=True, tag="vault.month_destroyed.v1"):
    """Its key is gone, and with it whatever only backups of that time hold."""

    kek_id: KekSlug


VaultKeysEvent = RewrapBegun | Rewrapped | MonthDestroyed


class VaultKeys(Struct, frozen=True, kw_only=True):
    moving_to: KekId | None = None
    destroyed: frozenset[KekId] = frozenset()


def evolve(state: VaultKeys, event: VaultKeysEvent) -> VaultKeys:
    match event:
        case RewrapBegun(to=to):
            return replace(state, moving_to=to)
        case Rewrapped():
            return replace(state, moving_to=None)
        case MonthDestroyed(kek_id=kek_id):
            return replace(state, destroyed=state.destroyed | {kek_id})
        case _:
            assert_never(event)


decider: Decider[VaultKeys, VaultKeysEvent] = Decider("vault", VaultKeys, 1, VaultKeys(), evolve)
STREAM = StreamName("vault")


def begin_rewrap(state: VaultKeys, *, to: KekId, at: datetime) -> Sequence[VaultKeysEvent]:
    return [] if state.moving_to == to else [RewrapBegun(to=to, at=at)]


def end_rewrap(
    state: VaultKeys,
    *,
    to: KekId,
    service_keys: int,
    signing_keys: int,
    log_keys: int,
    month_keys: int,
    subject_keys: int,
    at: datetime,
) -> Sequence[VaultKeysEvent]:
    """Nothing where none was begun: two that end one rewrap end it once."""
    if state.moving_to is None:
        return []
    return [
        Rewrapped(
            to=to,
            service_keys=service_keys,
            signing_keys=signing_keys,
            log_keys=log_keys,
            month_keys=month_keys,
            subject_keys=subject_keys,
            at=at,
        )
    ]


def destroy_month(state: VaultKeys, kek_id: KekId, *, at: datetime) -> Sequence[VaultKeysEvent]:
    return [] if kek_id in state.destroyed else [MonthDestroyed(kek_id=kek_id, at=at)]
