"""A mailed code is looked at: tries are counted for the code, however often it was sent, and for the account."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from commands.context import Context
from commands.ports import Ports
from commands.show_factor import Shower, Shown, plain, remember_pause, take_turn
from domain import factors
from domain.errors import InvalidChallenge, InvalidFactor
from domain.factor_events import FactorEvent
from domain.factor_guard import MAILED_CODES
from domain.factor_state import Factors
from domain.session_events import AuthMethod


async def show_mailed_code(code: str, code_id: UUID, who: Shower, ctx: Context, ports: Ports) -> Shown:
    """Raises InvalidFactor, FactorPaused, FactorBlocked, and InvalidChallenge after too many tries at this one."""
    tries = await ports.guard.admit(ports.macs.login_name(f"mailed:{code_id}"), device_mac=None, patience=MAILED_CODES)
    if not tries.may_try:
        raise InvalidChallenge
    reading = await take_turn(who, ports)
    if not ports.mail_codes.matches(plain(code), code_id, who.user_id):
        await remember_pause(who.user_id, reading, ctx, ports)
        raise InvalidFactor
    return Shown((AuthMethod.EMAIL,), _using(who, code_id), reading)


def _using(who: Shower, code_id: UUID) -> Callable[[Factors, datetime], Sequence[FactorEvent]]:
    enrolled = who.factors.mailed
    factor_id = None if enrolled is None else enrolled.factor_id

    def use(now: Factors, at: datetime) -> Sequence[FactorEvent]:
        return factors.use_mailed_code(now, user_id=who.user_id, factor_id=factor_id, code_id=code_id, at=at)

    return use
