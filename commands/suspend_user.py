"""Stop an account from doing anything at all, at once; and let it act again."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.held_names import HeldName, give_up, held_names, name_reads, names_of_claims
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.ports import Ports
from commands.put_off_erasure import erasure_of, hold_erasure, leave_time_to_withdraw
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import administrators, deletion, erasure, user
from domain.api_key import KeyRevocation
from domain.errors import NoSuchUser
from domain.event import SealClass, Sealed
from domain.ids import UserId
from domain.role import ADMIN
from domain.user import Erased, User, account_of
from domain.user_events import SuspendReason


class SuspendUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    reason: SuspendReason = SuspendReason.ADMINISTRATIVE
    note: Annotated[str, Meta(min_length=1, max_length=1_000)] | None = None

    def __repr__(self) -> str:
        return f"SuspendUser(user_id={self.user_id}, reason={self.reason})"


class ReinstateUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId


async def suspend_user(command: SuspendUser, ctx: Context, ports: Ports) -> Done[None]:
    """All sessions die with it, since the token epoch rises, and all API keys are revoked. An erasure that was asked for is put off, since
    its owner cannot withdraw it now: for as long from its asking as a deletion could be undone.

    Raises NoSuchUser, RightsExceeded, LastAdminProtected.
    """
    of_user = user.stream(command.user_id)

    async def act(authority: Authority) -> Done[None]:
        note = await _sealed_note(command, ports)

        async def end(keys: OwnersKeys) -> Done[None]:
            reads = [*_reads(authority), erasure_of(command.user_id), *keys.reads]
            return await transact(ports, ctx, reads, lambda tx: decide(tx, authority, keys, note))

        return await with_keys_of(command.user_id, ports, end)

    def decide(tx: Transaction, authority: Authority, keys: OwnersKeys, note: Sealed | None) -> None:
        authority.require(tx)
        events = user.suspend(tx.state(user.decider, of_user), reason=command.reason, note=note, at=tx.at)
        tx.record(user.decider, of_user, events)
        if events:
            keys.end(tx, KeyRevocation.SUSPENDED)
            hold_erasure(tx, command.user_id, ports)
        admins = tx.state(administrators.decider, administrators.STREAM)
        gone = administrators.remove(admins, command.user_id, at=tx.at)
        tx.record(administrators.decider, administrators.STREAM, gone)

    return await acting_on(command.user_id, ctx, ports, act)


async def reinstate_user(command: ReinstateUser, ctx: Context, ports: Ports) -> Done[None]:
    """Sessions and API keys from before stay dead. An erasure that was asked for can be withdrawn for as long as if it had been asked for
    now; an account that was erased meanwhile does not come back: its names are free then.

    Raises NoSuchUser, RightsExceeded.
    """
    of_user: Read = (user.decider, user.stream(command.user_id))

    async def act(authority: Authority) -> Done[None]:
        names = await _names((await read_states(ports, [of_user])).state(*of_user), ports)
        reads = [*_reads(authority), erasure_of(command.user_id), *name_reads(names)]
        return await transact(ports, ctx, reads, lambda tx: decide(tx, authority, names))

    def decide(tx: Transaction, authority: Authority, names: Sequence[HeldName]) -> None:
        authority.require(tx)
        state: User = tx.state(*of_user)
        if isinstance(state, Erased) or deletion.is_barred(state):
            _free(tx, state, names)
            return
        events = user.reinstate(state, at=tx.at)
        tx.record(*of_user, events)
        if events:
            leave_time_to_withdraw(tx, command.user_id, ports)
        if ADMIN in authority.roles:
            admins = tx.state(administrators.decider, administrators.STREAM)
            back = administrators.add(admins, command.user_id, at=tx.at)
            tx.record(administrators.decider, administrators.STREAM, back)

    return await acting_on(command.user_id, ctx, ports, act)


async def _names(state: User, ports: Ports) -> tuple[HeldName, ...]:
    """Raises NoSuchUser for nobody."""
    return await names_of_claims(state.barred, ports) if isinstance(state, Erased) else await held_names(account_of(state), ports)


def _free(tx: Transaction, state: User, names: Sequence[HeldName]) -> None:
    """Raises NoSuchUser where no name was kept."""
    if isinstance(state, Erased):
        if not state.barred:
            raise NoSuchUser
        of_erasure = erasure_of(state.user_id)
        tx.record(*of_erasure, erasure.release_names(tx.state(*of_erasure), user_id=state.user_id, early=True, at=tx.at))
    else:
        tx.record(user.decider, user.stream(account_of(state).user_id), deletion.lift_bar(state, at=tx.at))
    for name in names:
        give_up(tx, name)


def _reads(authority: Authority) -> list[Read]:
    return [*authority.reads, (administrators.decider, administrators.STREAM)]


async def _sealed_note(command: SuspendUser, ports: Ports) -> Sealed | None:
    if command.note is None:
        return None
    of_user = user.stream(command.user_id)
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.PROFILE, stream=of_user, fields={"note": command.note})
    return sealed["note"]
