"""A person asks to be erased, or thinks better of it; and what was asked for begins when its time has come (ACC-22, the asking)."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from commands.context import Context
from commands.delete_user import delete_in
from commands.keys_of_owner import OwnersKeys, with_keys_of
from commands.ports import Ports
from commands.revoke_session import required
from commands.standing import require_standing, standing_reads
from commands.transact import Done, Read, Transaction, read_states, transact
from domain import administrators, erasure, user
from domain.erasure_events import ErasureEvent
from domain.ids import UserId
from domain.user import Absent, Active, Erased, Suspended, User
from domain.user_events import DeleteReason


class ErasureDue(Struct, frozen=True, kw_only=True):
    """Until `due_at` it can be withdrawn; then the account is deleted for good."""

    due_at: datetime


async def ask_for_erasure(ctx: Context, ports: Ports) -> Done[ErasureDue]:
    """Asking again gives the same date, which is not before a change of address can no longer be taken back: that would withdraw it.

    Raises InvalidToken, SessionEnded, LastAdminProtected.
    """
    principal = required(ctx)
    stream = erasure.stream(principal.user_id)

    def decide(tx: Transaction) -> ErasureDue:
        _, account = require_standing(tx, principal)
        administrators.stays_without(tx.state(administrators.decider, administrators.STREAM), principal.user_id)
        state = tx.state(erasure.decider, stream)
        undo_s = 0 if account.earlier is None else round((account.earlier.undo_until - tx.at).total_seconds())
        asked = erasure.ask(state, user_id=principal.user_id, wait_s=max(ports.policy.erasure_wait, undo_s), at=tx.at)
        after = tx.record(erasure.decider, stream, asked)
        return ErasureDue(due_at=after.due_at if isinstance(after, erasure.Asked) else tx.at)

    glance: list[Read] = [(administrators.decider, administrators.STREAM), *standing_reads(principal)]
    return await transact(ports, ctx, [(erasure.decider, stream)], decide, glance=glance)


async def withdraw_erasure(ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoErasureAsked, InvalidToken, SessionEnded."""
    principal = required(ctx)
    stream = erasure.stream(principal.user_id)

    def decide(tx: Transaction) -> None:
        require_standing(tx, principal)
        withdrawn = erasure.withdraw(tx.state(erasure.decider, stream), user_id=principal.user_id, at=tx.at)
        tx.record(erasure.decider, stream, withdrawn)

    return await transact(ports, ctx, [(erasure.decider, stream)], decide, glance=standing_reads(principal))


async def begin_erasure(user_id: UserId, ctx: Context, ports: Ports) -> bool:
    """Delete an account whose owner asked for it, for good, once the wait is over. False where it is not so. Safe to repeat.

    While a change of its address can be taken back it is put off to the end of that, so that it stands in nobody's way among what is due.
    Where it is suspended its names are kept from everybody for a while: whoever is shut out does not come back as somebody else.
    Raises LastAdminProtected.
    """
    of_erasure: Read = (erasure.decider, erasure.stream(user_id))
    of_user: Read = (user.decider, user.stream(user_id))
    reads: list[Read] = [of_erasure, of_user, (administrators.decider, administrators.STREAM)]
    if not _begin(await read_states(ports, [of_erasure, of_user]), user_id):
        return False

    def decide(tx: Transaction, keys: OwnersKeys) -> bool:
        events = _begin(tx, user_id)
        begun = bool(events) and isinstance(tx.record(*of_erasure, events), erasure.Begun)
        if begun and isinstance(tx.state(*of_user), Active | Suspended):
            kept_s = ports.policy.barred_names if isinstance(tx.state(*of_user), Suspended) else 0
            delete_in(tx, user_id, keys, reason=DeleteReason.ERASURE, restorable_s=kept_s)
        return begun

    async def begin(keys: OwnersKeys) -> bool:
        return (await transact(ports, ctx, [*reads, *keys.reads], lambda tx: decide(tx, keys))).result

    return await with_keys_of(user_id, ports, begin)


def _begin(tx: Transaction, user_id: UserId) -> Sequence[ErasureEvent]:
    """Not while a change of the address can be taken back: whoever made that may have asked for the erasure, too (threats.md 3)."""
    who: User = tx.state(user.decider, user.stream(user_id))
    earlier = None if isinstance(who, Absent | Erased) else who.account.earlier
    not_before = None if earlier is None else earlier.undo_until
    return erasure.begin(tx.state(erasure.decider, erasure.stream(user_id)), user_id=user_id, not_before=not_before, at=tx.at)
