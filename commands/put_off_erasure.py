"""An erasure that was asked for is put off while its owner cannot withdraw it: somebody else may have asked (threats.md 3)."""

from commands.ports import Ports
from commands.transact import Read, Transaction
from domain import erasure
from domain.ids import UserId


def erasure_of(user_id: UserId) -> Read:
    """What both of these need to be read."""
    return erasure.decider, erasure.stream(user_id)


def hold_erasure(tx: Transaction, user_id: UserId, ports: Ports) -> None:
    """Its owner is shut out: let it begin no sooner than a deletion that was made when it was asked for could no longer be undone."""
    read = erasure_of(user_id)
    tx.record(*read, erasure.hold(tx.state(*read), user_id=user_id, period_s=ports.policy.restore_period, at=tx.at))


def leave_time_to_withdraw(tx: Transaction, user_id: UserId, ports: Ports) -> None:
    """Its owner is back: leave as much time as if it had been asked for now."""
    read = erasure_of(user_id)
    tx.record(*read, erasure.leave_time(tx.state(*read), user_id=user_id, wait_s=ports.policy.erasure_wait, at=tx.at))
