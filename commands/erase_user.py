"""An administrator has somebody erased, or thinks better of it (ADM-04)."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from commands.authority import Authority, acting_on
from commands.context import Context
from commands.ports import Ports
from commands.put_off_erasure import erasure_of
from commands.transact import Done, Read, Transaction, transact
from domain import administrators, erasure, user
from domain.errors import NoSuchUser
from domain.ids import UserId
from domain.user import Erased
from domain.user_events import AskedBy


class AdminAskedBy(StrEnum):
    ADMINISTRATOR = "administrator"
    LAW = "law"


class EraseUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    asked_by: AdminAskedBy = AdminAskedBy.ADMINISTRATOR


class ErasureWait(Struct, frozen=True, kw_only=True):
    """Until `due_at` it can be withdrawn; then it begins."""

    due_at: datetime


async def erase_user(command: EraseUser, ctx: Context, ports: Ports) -> Done[ErasureWait]:
    """Have an account erased after the wait, whatever stage it is in. Asking again, or after its owner, gives the date there is.

    Raises NoSuchUser, RightsExceeded, LastAdminProtected.
    """
    of_user: Read = (user.decider, user.stream(command.user_id))
    of_erasure, of_admins = erasure_of(command.user_id), (administrators.decider, administrators.STREAM)

    async def act(authority: Authority) -> Done[ErasureWait]:
        return await transact(ports, ctx, [of_erasure, of_admins, *authority.reads], lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> ErasureWait:
        authority.require(tx)
        if isinstance(tx.state(*of_user), Erased):
            raise NoSuchUser
        administrators.stays_without(tx.state(*of_admins), command.user_id)
        asked = erasure.ask(
            tx.state(*of_erasure),
            user_id=command.user_id,
            wait_s=ports.policy.erasure_wait,
            asked_by=AskedBy(command.asked_by),
            at=tx.at,
        )
        after = tx.record(*of_erasure, asked)
        return ErasureWait(due_at=after.due_at if isinstance(after, erasure.Asked) else tx.at)

    return await acting_on(command.user_id, ctx, ports, act)


async def keep_user(user_id: UserId, ctx: Context, ports: Ports) -> Done[None]:
    """Withdraw what an administrator asked for. What the account's owner asked for is theirs to withdraw.

    Raises NoErasureAsked, NoSuchUser, RightsExceeded.
    """
    of_erasure = erasure_of(user_id)

    async def act(authority: Authority) -> Done[None]:
        return await transact(ports, ctx, [of_erasure, *authority.reads], lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        tx.record(*of_erasure, erasure.withdraw(tx.state(*of_erasure), user_id=user_id, own=False, at=tx.at))

    return await acting_on(user_id, ctx, ports, act)
