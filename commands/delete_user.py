"""An administrator deletes an account, or brings it back; and what nobody brought back in time gives its names up."""

from enum import StrEnum

from msgspec import Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.held_names import give_up, held_names, name_reads
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.ports import Ports
from commands.put_off_erasure import erasure_of, hold_erasure, leave_time_to_withdraw
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import administrators, deletion, erasure, user
from domain.api_key import KeyRevocation
from domain.errors import RestoreTooLate
from domain.ids import UserId
from domain.role import ADMIN
from domain.user import Active, Deleted
from domain.user_events import DeleteReason


class AdminDeleteReason(StrEnum):
    ADMINISTRATIVE = "administrative"
    LEFT = "left"
    ABUSE = "abuse"
    DUPLICATE = "duplicate"


class DeleteUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    reason: AdminDeleteReason = AdminDeleteReason.ADMINISTRATIVE


class RestoreUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId


async def delete_user(command: DeleteUser, ctx: Context, ports: Ports) -> Done[None]:
    """All sessions and API keys end with it, for good. An erasure that was asked for is put off, as by a suspension.

    Raises NoSuchUser, RightsExceeded, LastAdminProtected.
    """

    async def act(authority: Authority) -> Done[None]:
        async def end(keys: OwnersKeys) -> Done[None]:
            reads = [*_reads(authority), erasure_of(command.user_id), *keys.reads]
            return await transact(ports, ctx, reads, lambda tx: decide(tx, authority, keys))

        return await with_keys_of(command.user_id, ports, end)

    def decide(tx: Transaction, authority: Authority, keys: OwnersKeys) -> None:
        authority.require(tx)
        if delete_in(tx, command.user_id, keys, reason=DeleteReason(command.reason), restorable_s=ports.policy.restore_period):
            hold_erasure(tx, command.user_id, ports)

    return await acting_on(command.user_id, ctx, ports, act)


def delete_in(
    tx: Transaction, user_id: UserId, keys: OwnersKeys, *, reason: DeleteReason, restorable_s: int, even_the_last: bool = False
) -> bool:
    """Delete an account with its keys; reads have to hold it, the administrators and the keys. False where that was done before.

    Raises LastAdminProtected, unless `even_the_last` administrator may go.
    """
    of_user = user.stream(user_id)
    events = deletion.delete(tx.state(user.decider, of_user), reason=reason, restorable_s=restorable_s, at=tx.at)
    tx.record(user.decider, of_user, events)
    if events:
        keys.end(tx, KeyRevocation.ACCOUNT_DELETED)
    admins = tx.state(administrators.decider, administrators.STREAM)
    tx.record(administrators.decider, administrators.STREAM, administrators.remove(admins, user_id, even_the_last=even_the_last, at=tx.at))
    return bool(events)


async def restore_user(command: RestoreUser, ctx: Context, ports: Ports) -> Done[None]:
    """As it was, suspended if it was; sessions and keys from before stay ended, and an erasure that was asked for can be withdrawn for as
    long as if it had been asked for now.

    Raises NoSuchUser, RestoreTooLate also once an erasure of it has begun, RightsExceeded.
    """
    of_user, of_erasure = user.stream(command.user_id), erasure_of(command.user_id)

    async def act(authority: Authority) -> Done[None]:
        return await transact(ports, ctx, [of_erasure, *_reads(authority)], lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        if isinstance(tx.state(*of_erasure), erasure.Begun):
            raise RestoreTooLate
        events = deletion.restore(tx.state(user.decider, of_user), at=tx.at)
        state = tx.record(user.decider, of_user, events)
        if events:
            leave_time_to_withdraw(tx, command.user_id, ports)
        if ADMIN in authority.roles and isinstance(state, Active):
            admins = tx.state(administrators.decider, administrators.STREAM)
            back = administrators.add(admins, command.user_id, at=tx.at)
            tx.record(administrators.decider, administrators.STREAM, back)

    return await acting_on(command.user_id, ctx, ports, act)


async def release_names(user_id: UserId, ctx: Context, ports: Ports) -> bool:
    """Give up the names of an account whose time to be restored is over. False where it is not so. Safe to repeat."""
    of_user: Read = (user.decider, user.stream(user_id))
    state = (await read_states(ports, [of_user])).state(user.decider, of_user[1])
    if not isinstance(state, Deleted):
        return False
    names = await held_names(state.account, ports)

    def decide(tx: Transaction) -> None:
        events = deletion.release_names(tx.state(user.decider, of_user[1]), at=tx.at)
        tx.record(user.decider, of_user[1], events)
        if events:
            for name in names:
                give_up(tx, name)

    return (await transact(ports, ctx, [of_user, *name_reads(names)], decide)).appended


def _reads(authority: Authority) -> list[Read]:
    return [*authority.reads, (administrators.decider, administrators.STREAM)]
