"""How far an erasure is, from the truth of the heads; once it is over, its receipt."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from commands.ports import Ports, StoredEvent
from commands.put_off_erasure import erasure_of
from commands.transact import read_states
from domain import codec, erasure, user
from domain.erasure import Asked, Begun, Completed, NotAsked
from domain.errors import NoSuchErasure
from domain.ids import AudienceName, EventId, SubjectKeyId, UserId
from domain.user_events import AskedBy, NamesFate, UserErased


class Stage(StrEnum):
    ASKED = "asked"
    BEGUN = "begun"
    COMPLETED = "completed"


class Written(Struct, frozen=True, kw_only=True):
    """The event that is the receipt. `position` is null for the moment until it has one; then `proof` proves that it is in the log."""

    event_id: EventId
    position: int | None
    erased_at: datetime
    keys: tuple[SubjectKeyId, ...]
    """Destroyed with it, by their ids; no more than fit into an event."""
    key_count: int
    names: NamesFate
    names_until: datetime | None
    proof: str | None


class Service(Struct, frozen=True, kw_only=True):
    audience: AudienceName
    acknowledged_at: datetime | None


class ErasureReceipt(Struct, frozen=True, kw_only=True):
    """`backups_until`: when the last backup can open nothing of theirs any more; null before anything was destroyed."""

    user_id: UserId
    stage: Stage
    asked_by: AskedBy
    asked_at: datetime | None
    """Null where it was done again, in a database that had been set back."""
    due_at: datetime | None
    begun_at: datetime | None
    completed_at: datetime | None
    receipt: Written | None
    backups_until: datetime | None
    services: tuple[Service, ...]
    """Those that are to forget them, too, and others that said so."""
    missing: tuple[AudienceName, ...]
    """Those that have not said so."""


async def erasure_receipt(user_id: UserId, ports: Ports) -> ErasureReceipt:
    """Raises NoSuchErasure where none is under way or over, StoreUnavailable."""
    state: erasure.Erasure = (await read_states(ports, [erasure_of(user_id)])).state(*erasure_of(user_id))
    begun = state.begun if isinstance(state, Completed) else state
    if isinstance(begun, NotAsked):
        raise NoSuchErasure
    receipt = await _written(user_id, ports) if isinstance(begun, Begun) else None
    return ErasureReceipt(
        user_id=user_id,
        stage=_stage(state),
        asked_by=begun.asked_by,
        asked_at=begun.asked_at,
        due_at=begun.due_at if isinstance(begun, Asked) else None,
        begun_at=begun.begun_at if isinstance(begun, Begun) else None,
        completed_at=state.completed_at if isinstance(state, Completed) else None,
        receipt=receipt,
        backups_until=None if receipt is None else ports.backups_until(receipt.erased_at),
        services=_services(state),
        missing=state.missing if isinstance(state, Completed) else (),
    )


def _stage(state: erasure.Erasure) -> Stage:
    match state:
        case Completed():
            return Stage.COMPLETED
        case Begun():
            return Stage.BEGUN
        case _:
            return Stage.ASKED


def _services(state: erasure.Erasure) -> tuple[Service, ...]:
    if not isinstance(state, Completed):
        return ()
    said = {each.audience: each.at for each in state.acknowledged}
    return tuple(Service(audience=name, acknowledged_at=said.get(name)) for name in sorted({*state.told, *said}))


async def _written(user_id: UserId, ports: Ports) -> Written | None:
    last = (await ports.store.read_stream(user.stream(user_id)))[-1:]
    event = codec.decode_event(last[0].type, last[0].payload) if last else None
    return _of(last[0], event) if isinstance(event, UserErased) else None


def _of(stored: StoredEvent, event: UserErased) -> Written:
    return Written(
        event_id=stored.event_id,
        position=stored.position,
        erased_at=event.at,
        keys=event.keys,
        key_count=event.key_count,
        names=event.names,
        names_until=event.names_until,
        proof=None if stored.position is None else f"/api/v1/audit/proofs?position={stored.position}",
    )
