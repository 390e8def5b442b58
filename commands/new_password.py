"""What a proof by mail brings about besides the new password."""

from collections.abc import Sequence
from datetime import datetime

from commands.choose_password import check_new_password, check_unused, sealed_password
from commands.context import Context
from commands.ports import Ports
from commands.read_profile import open_profile
from commands.transact import Read, Transaction
from domain import erasure, factors, user
from domain.account import Account
from domain.event import Sealed
from domain.factor_events import WhyRemoved
from domain.ids import FactorId, UserId


async def sealed_choice(password: str, account: Account, ctx: Context, ports: Ports) -> Sealed:
    """Check it as any new password and seal its hash. Raises PasswordUnacceptable, Overloaded.

    Passwords from before the first proof of the mailbox are another's, perhaps: whoever proves it learns nothing of them.
    """
    texts = await open_profile(account, ports)
    await check_new_password(password, texts.email, texts.username, texts.name, ctx=ctx, ports=ports)
    if not account.doubtful:
        await check_unused(password, account, ctx, ports)
    return await sealed_password(password, user.stream(account.user_id), ctx, ports)


def remembered(account: Account, ports: Ports) -> int:
    """How many passwords from before stay in the history: of an account that may have been another's, none."""
    return 0 if account.doubtful else ports.policy.password_history


def remove_factors(tx: Transaction, user_id: UserId) -> None:
    """Take away what whoever opened the account enrolled: it would keep the owner of its mailbox out (threats.md 2)."""
    _remove(tx, user_id, factors.ids(tx.state(factors.decider, factors.stream(user_id))), WhyRemoved.NEVER_PROVED)


def remove_factors_since(tx: Transaction, user_id: UserId, since: datetime) -> None:
    """Take away what was enrolled while the account was perhaps in other hands."""
    state = tx.state(factors.decider, factors.stream(user_id))
    kept = factors.ids(factors.enrolled_before(state, since))
    _remove(tx, user_id, [factor_id for factor_id in factors.ids(state) if factor_id not in kept], WhyRemoved.UNDONE)


def erasure_read(user_id: UserId) -> Read:
    """What `void_erasure` needs to be read."""
    return erasure.decider, erasure.stream(user_id)


def void_erasure(tx: Transaction, user_id: UserId) -> None:
    """Take back what whoever opened the account asked for: it would be erased under the owner of its mailbox."""
    state = tx.state(*erasure_read(user_id))
    if erasure.is_own(state):
        tx.record(erasure.decider, erasure.stream(user_id), erasure.withdraw(state, user_id=user_id, at=tx.at))


def _remove(tx: Transaction, user_id: UserId, enrolled: Sequence[FactorId], why: WhyRemoved) -> None:
    stream = factors.stream(user_id)
    for factor_id in enrolled:
        state = tx.state(factors.decider, stream)
        tx.record(factors.decider, stream, factors.remove(state, user_id=user_id, factor_id=factor_id, why=why, at=tx.at))


async def lift_locks(user_id: UserId, ports: Ports, *, codes: bool = False) -> None:
    """Whoever reads the mailbox is no guesser of passwords: what guessers counted up is forgotten. So it is with `codes`, where no factor
    is enrolled: those were mailed there, for sign-ins that were strange."""
    for counted_as in (f"account:{user_id}", f"user:{user_id}", *((f"factor:{user_id}",) if codes else ())):
        await ports.guard.forgive(ports.macs.login_name(counted_as), device_mac=None)
