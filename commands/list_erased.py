"""Puts on the list of the erased whom the database knows of and the list does not: it may have been lost, or damaged."""

from collections.abc import Sequence
from datetime import datetime

from commands.ports import ErasedEntry, ErasedNames, ErasedReads, Ports
from commands.put_off_erasure import erasure_of
from commands.transact import read_states
from domain import user
from domain.erasure import Begun, Completed
from domain.ids import InvitationId, UserId
from domain.user import Deleted, Erased, User


async def list_erased(listed: ErasedNames, reads: ErasedReads, ports: Ports, *, each: bool = False) -> int:
    """Give how many entries were written. `each`: look at every one of them, and write anew those that are none of ours.

    Raises what the list raises, StoreUnavailable. Broken off, it is gone on with the next time.
    """
    there = frozenset[UserId]() if each else frozenset(await listed.ids())
    written = 0
    for user_id in await reads.erased():
        if user_id not in there and (entry := await _entry(user_id, ports)) is not None:
            written += await listed.enter(entry)
    return written


async def _entry(user_id: UserId, ports: Ports) -> ErasedEntry | None:
    """None for whom the log does not say that they were erased."""
    of_user, of_erasure = (user.decider, user.stream(user_id)), erasure_of(user_id)
    read = await read_states(ports, [of_user, of_erasure])
    state: User = read.state(*of_user)
    stage = read.state(*of_erasure)
    begun = stage.begun if isinstance(stage, Completed) else stage
    if not isinstance(state, Erased) or not isinstance(begun, Begun):
        return None
    return entry_of(user_id, begun, state, state.invitations)


def entry_of(user_id: UserId, begun: Begun, state: User, accepted: Sequence[InvitationId]) -> ErasedEntry:
    """What is to be known of an erasure where the database is not: also of one that has begun."""
    return ErasedEntry(
        user_id=user_id, asked_by=begun.asked_by, begun_at=begun.begun_at, names_until=_names_until(state), invitations=tuple(accepted)
    )


def _names_until(state: User) -> datetime | None:
    match state:
        case Deleted():
            return state.restorable_until
        case Erased():
            return state.names_until
        case _:
            return None
