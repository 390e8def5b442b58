"""What is done once an erasure has begun: the person is forgotten, then all that is theirs, and then it is said that this is over.

Every step is safe to repeat, and may be broken off anywhere: who carries it out comes back for as long as it is not completed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from commands.context import Context
from commands.held_names import HeldName, give_up, held_names, name_reads, names_of_claims
from commands.ports import Ports
from commands.put_off_erasure import erasure_of
from commands.transact import Read, Transaction, read_states, transact
from domain import api_key, attributes, deletion, erasure, factors, invitation, session, session_end, user
from domain.event import Event
from domain.ids import AudienceName, InvitationId, KeyId, SessionId, StreamName, SubjectKeyId, UserId
from domain.user import Deleted, Erased, Gone, User


class _Person(Struct, frozen=True, kw_only=True):
    """What the receipt is about."""

    user_id: UserId
    names: tuple[HeldName, ...]
    keys: tuple[SubjectKeyId, ...]
    accepted: tuple[InvitationId, ...]


async def forget_person(user_id: UserId, accepted: Sequence[InvitationId], ctx: Context, ports: Ports) -> bool:
    """Write the receipt, with which the heads of account, factors, attributes and `accepted` invitations say nothing any more; then destroy
    the keys of all of it. False where no erasure has begun.

    A crash between the two leaves keys to which nothing that is read any more leads; called again, this destroys them.
    """
    of_user: Read = (user.decider, user.stream(user_id))
    read = await read_states(ports, [of_user, erasure_of(user_id)])
    if not isinstance(read.state(*erasure_of(user_id)), erasure.Begun):
        return False
    state: User = read.state(*of_user)
    if isinstance(state, Deleted | Gone):
        names, keys = await held_names(state.account, ports), await ports.vault.keys_of(_subjects(user_id, accepted))
        await _write_receipt(_Person(user_id=user_id, names=names, keys=tuple(keys), accepted=tuple(accepted)), ctx, ports)
        state = (await read_states(ports, [of_user])).state(*of_user)
    if not isinstance(state, Erased):
        return False
    if late := [each for each in accepted if each not in state.invitations]:
        await _forget_invitations(user_id, late, ctx, ports)
    for subject in _subjects(user_id, (*state.invitations, *late)):
        await ports.vault.destroy_keys_of_erased(subject)
    return True


async def _forget_invitations(user_id: UserId, late: Sequence[InvitationId], ctx: Context, ports: Ports) -> None:
    """Those that read models did not know of yet when the receipt was written: after a restore, which waits for nothing."""
    reads: list[Read] = [(invitation.decider, invitation.stream(each)) for each in late]

    def decide(tx: Transaction) -> None:
        for read in reads:
            tx.record(*read, invitation.erase(tx.state(*read), user_id=user_id, at=tx.at))

    await transact(ports, ctx, reads, decide)


async def _write_receipt(who: _Person, ctx: Context, ports: Ports) -> None:
    of_user: Read = (user.decider, user.stream(who.user_id))
    of_erasure = erasure_of(who.user_id)
    of_invitations: list[Read] = [(invitation.decider, invitation.stream(each)) for each in who.accepted]

    def decide(tx: Transaction) -> None:
        begun = tx.state(*of_erasure)
        if isinstance(begun, erasure.Begun) and not isinstance(tx.state(*of_user), Erased):
            _forget(tx, who, begun)

    reads = [of_user, of_erasure, *_about(who.user_id), *of_invitations, *name_reads(who.names)]
    await transact(ports, ctx, reads, decide)


def _forget(tx: Transaction, who: _Person, begun: erasure.Begun) -> None:
    of_user: Read = (user.decider, user.stream(who.user_id))
    receipt = deletion.erase(
        tx.state(*of_user),
        asked_by=begun.asked_by,
        keys=who.keys,
        claims=[name.claim_id for name in who.names],
        invitations=who.accepted,
        at=tx.at,
    )
    after: User = tx.record(*of_user, receipt)
    of_factors, of_attributes = _about(who.user_id)
    tx.record(*of_factors, factors.erase(tx.state(*of_factors), user_id=who.user_id, at=tx.at))
    tx.record(*of_attributes, attributes.replace(tx.state(*of_attributes), user_id=who.user_id, attributes=None, at=tx.at))
    for each in who.accepted:
        of_invitation: Read = (invitation.decider, invitation.stream(each))
        tx.record(*of_invitation, invitation.erase(tx.state(*of_invitation), user_id=who.user_id, at=tx.at))
    if isinstance(after, Erased) and not after.barred:
        for name in who.names:
            give_up(tx, name)


def _about(user_id: UserId) -> tuple[Read, Read]:
    return (factors.decider, factors.stream(user_id)), (attributes.decider, attributes.stream(user_id))


def _subjects(user_id: UserId, accepted: Sequence[InvitationId]) -> tuple[StreamName, ...]:
    return user.stream(user_id), *(invitation.stream(each) for each in accepted)


async def forget_sessions(user_id: UserId, sessions: Sequence[SessionId], ctx: Context, ports: Ports) -> int:
    """Forget sessions of one who is erased, all of these in one append; give how many there were to forget."""
    reads = [(session.decider, session.stream(each)) for each in sessions]
    return await _forget_all(reads, lambda state, at: session_end.erase(state, owner=user_id, at=at), ctx, ports)


async def forget_keys(user_id: UserId, keys: Sequence[KeyId], ctx: Context, ports: Ports) -> int:
    """As `forget_sessions`, of API keys."""
    reads = [(api_key.decider, api_key.stream(each)) for each in keys]
    return await _forget_all(reads, lambda state, at: api_key.erase(state, owner=user_id, at=at), ctx, ports)


async def _forget_all(reads: Sequence[Read], erase: Callable[[Any, datetime], Sequence[Event]], ctx: Context, ports: Ports) -> int:
    def decide(tx: Transaction) -> int:
        events = [(read, erase(tx.state(*read), tx.at)) for read in reads]
        for read, erased in events:
            tx.record(*read, erased)
        return sum(len(erased) for _, erased in events)

    return (await transact(ports, ctx, reads, decide)).result if reads else 0


async def complete_erasure(user_id: UserId, told: Sequence[AudienceName], ctx: Context, ports: Ports) -> bool:
    """Say that it is over, once it is: `told` are the audiences whose services are to acknowledge it. False where it is not so."""
    of_user: Read = (user.decider, user.stream(user_id))
    of_erasure = erasure_of(user_id)

    def decide(tx: Transaction) -> None:
        state: User = tx.state(*of_user)
        if isinstance(state, Erased):
            done = erasure.complete(tx.state(*of_erasure), user_id=user_id, told=told, names_until=state.names_until, at=tx.at)
            tx.record(*of_erasure, done)

    return (await transact(ports, ctx, [of_user, of_erasure], decide)).appended


async def release_barred_names(user_id: UserId, ctx: Context, ports: Ports) -> bool:
    """Free the names of one who was erased, by their claims: nobody can spell them any more. False before their time. Safe to repeat."""
    of_user: Read = (user.decider, user.stream(user_id))
    of_erasure = erasure_of(user_id)
    state: User = (await read_states(ports, [of_user])).state(*of_user)
    names = await names_of_claims(state.barred, ports) if isinstance(state, Erased) else ()

    def decide(tx: Transaction) -> None:
        released = erasure.release_names(tx.state(*of_erasure), user_id=user_id, at=tx.at)
        tx.record(*of_erasure, released)
        if released:
            for name in names:
                give_up(tx, name)

    return (await transact(ports, ctx, [of_erasure, *name_reads(names)], decide)).appended


async def remind_services(user_id: UserId, ctx: Context, ports: Ports) -> bool:
    """Tell services again that have not acknowledged it. False where that is not due. Safe to repeat."""
    of_erasure = erasure_of(user_id)

    def decide(tx: Transaction) -> None:
        tx.record(*of_erasure, erasure.remind(tx.state(*of_erasure), user_id=user_id, at=tx.at))

    return (await transact(ports, ctx, [of_erasure], decide)).appended
